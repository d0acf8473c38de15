using System.Buffers.Binary;
using System.Text;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Forms;

/// <summary>What a piece of a SentencePiece model is.</summary>
internal enum PieceType
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

internal readonly record struct SentencePiecePiece(string Text, float Score, PieceType Type);

/// <summary>The parts of SentencePiece's <c>ModelProto</c> that encoding and decoding need (google/sentencepiece, <c>sentencepiece_model.proto</c>).</summary>
internal sealed record SentencePieceProto
{
    private const int MaxPieces = 1 << 20;

    public List<SentencePiecePiece> Pieces { get; } = [];

    /// <summary>1 Unigram, 2 BPE, 4 characters.</summary>
    public int ModelType { get; private set; } = 1;

    public bool ByteFallback { get; private set; }

    public bool SpaceIsSuffix { get; private set; }

    public int BeginId { get; private set; } = 1;

    public int EndId { get; private set; } = 2;

    public byte[] CharacterMap { get; private set; } = [];

    public bool AddsSpace { get; private set; } = true;

    public bool RemovesExtraSpaces { get; private set; } = true;

    public bool EscapesSpaces { get; private set; } = true;

    public bool HasTrainerSpec { get; private set; }

    /// <exception cref="TokenizerFormatException">The bytes are not such a message.</exception>
    public static SentencePieceProto Parse(ReadOnlySpan<byte> bytes, string name)
    {
        var model = new SentencePieceProto();
        var reader = new Message(bytes, name);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1:
                    if (model.Pieces.Count == MaxPieces)
                    {
                        throw new TokenizerFormatException($"{name} has more than {MaxPieces} pieces.");
                    }

                    model.Pieces.Add(ReadPiece(reader.Bytes(), name));
                    break;
                case 2:
                    model.ReadTrainer(reader.Bytes(), name);
                    break;
                case 3:
                    model.ReadNormalizer(reader.Bytes(), name);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return model.Pieces.Count > 0 ? model : throw new TokenizerFormatException($"{name} is not a SentencePiece model: it has no pieces.");
    }

    private static SentencePiecePiece ReadPiece(ReadOnlySpan<byte> bytes, string name)
    {
        var (text, score, type) = ("", 0f, 1L);
        var reader = new Message(bytes, name);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 1:
                    text = reader.Text();
                    break;
                case 2:
                    score = reader.Single();
                    break;
                case 3:
                    type = reader.Number();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return type is >= 1 and <= 6 && float.IsFinite(score)
            ? new SentencePiecePiece(text, score, (PieceType)type)
            : throw new TokenizerFormatException($"{name}: the piece \"{Vocabulary.Shown(text)}\" has the type {type} and the score {score}; types 1 to 6 and finite scores are supported.");
    }

    private void ReadTrainer(ReadOnlySpan<byte> bytes, string name)
    {
        HasTrainerSpec = true;
        var reader = new Message(bytes, name);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 3:
                    ModelType = (int)reader.Number();
                    break;
                case 24:
                    SpaceIsSuffix = reader.Number() != 0;
                    break;
                case 35:
                    ByteFallback = reader.Number() != 0;
                    break;
                case 41:
                    BeginId = (int)reader.Number();
                    break;
                case 42:
                    EndId = (int)reader.Number();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private void ReadNormalizer(ReadOnlySpan<byte> bytes, string name)
    {
        var reader = new Message(bytes, name);
        while (reader.Next(out var field))
        {
            switch (field)
            {
                case 2:
                    CharacterMap = reader.Bytes().ToArray();
                    break;
                case 3:
                    AddsSpace = reader.Number() != 0;
                    break;
                case 4:
                    RemovesExtraSpaces = reader.Number() != 0;
                    break;
                case 5:
                    EscapesSpaces = reader.Number() != 0;
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    /// <summary>A protocol-buffer message, field by field.</summary>
    private ref struct Message(ReadOnlySpan<byte> bytes, string name)
    {
        private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

        private ReadOnlySpan<byte> _rest = bytes;
        private int _wire;

        public bool Next(out int field)
        {
            field = 0;
            if (_rest.Length == 0)
            {
                return false;
            }

            var tag = Varint();
            (field, _wire) = ((int)(tag >> 3 & 0x1FFF_FFFF), (int)(tag & 7));
            return field > 0 ? true : throw Damaged();
        }

        public long Number() => _wire == 0 ? (long)Varint() : throw Damaged();

        public float Single() => _wire == 5 ? BinaryPrimitives.ReadSingleLittleEndian(Take(4)) : throw Damaged();

        public ReadOnlySpan<byte> Bytes() => _wire == 2 ? Take(Varint()) : throw Damaged();

        public string Text()
        {
            try
            {
                return Strict.GetString(Bytes());
            }
            catch (DecoderFallbackException cause)
            {
                throw new TokenizerFormatException($"{name}: a piece is not UTF-8.", cause);
            }
        }

        public void Skip()
        {
            _ = _wire switch
            {
                0 => Varint(),
                1 => (ulong)Take(8).Length,
                2 => (ulong)Take(Varint()).Length,
                5 => (ulong)Take(4).Length,
                _ => throw Damaged(),
            };
        }

        private ulong Varint()
        {
            var value = 0UL;
            for (var shift = 0; shift < 64; shift += 7)
            {
                var next = Take(1)[0];
                value |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80)
                {
                    return value;
                }
            }

            throw Damaged();
        }

        private ReadOnlySpan<byte> Take(ulong count)
        {
            if (count > (ulong)_rest.Length)
            {
                throw Damaged();
            }

            var taken = _rest[..(int)count];
            _rest = _rest[(int)count..];
            return taken;
        }

        private readonly TokenizerFormatException Damaged() =>
            new($"{name} is not a SentencePiece model, or is damaged: its fields do not fit its length.");
    }
}
