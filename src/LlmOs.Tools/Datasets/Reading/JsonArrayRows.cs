using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Reading;

/// <summary>One JSON list of objects: each is a row. An object is read when it is whole; no more than that is held.</summary>
internal static class JsonArrayRows
{
    public static async IAsyncEnumerable<SourceRow> ReadAsync(string path, ReadPlan plan, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var stream = SourceFormat.OpenText(path, plan);
        var pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 1 << 16));
        var cut = new Cut(plan);
        var isFirst = true;
        while (true)
        {
            var result = await pipe.ReadAsync(cancel);
            var buffer = result.Buffer;
            if (isFirst && buffer.Length < 3 && !result.IsCompleted)
            {
                pipe.AdvanceTo(buffer.Start, buffer.End);
                continue;
            }

            if (isFirst)
            {
                isFirst = false;
                buffer = buffer.Slice(LineReader.MarkOf(buffer.Slice(0, Math.Min(3, buffer.Length)).ToArray(), plan));
            }

            while (cut.Next(ref buffer, result.IsCompleted) is { } json)
            {
                CellText.RequireUtf8(json, plan, cut.Row, null);
                yield return new SourceRow(cut.Row, JsonRow.Read(json, plan, cut.Row));
            }

            if (buffer.Length > RowLimits.MaxRowBytes)
            {
                throw RowFault.Of(plan.Place, cut.Row + 1, $"is longer than {RowLimits.MaxRowBytes} bytes, the most that a row may have.", ErrorCode.TooLarge);
            }

            if (result.IsCompleted)
            {
                cut.RequireClosed();
                yield break;
            }

            pipe.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    /// <summary>Cuts the list into its objects.</summary>
    private sealed class Cut(ReadPlan plan)
    {
        private JsonReaderState _state = new(new JsonReaderOptions { MaxDepth = JsonRow.MaxDepth + 1 });
        private bool _isOpen;
        private bool _isClosed;

        /// <summary>The number of the object that was cut last.</summary>
        public long Row { get; private set; }

        /// <summary>The next whole object; null where the buffer holds none: it begins with what is not read yet.</summary>
        public byte[]? Next(ref ReadOnlySequence<byte> buffer, bool isLast)
        {
            try
            {
                if (!_isOpen && !Open(ref buffer, isLast))
                {
                    return null;
                }

                var reader = new Utf8JsonReader(buffer, isLast, _state);
                if (!reader.Read())
                {
                    return null;
                }

                if (reader.TokenType == JsonTokenType.EndArray)
                {
                    _isClosed = true;
                    Take(ref buffer, reader);
                    return Next(ref buffer, isLast); // only white space may follow
                }

                var begin = reader.TokenStartIndex;
                if (!reader.TrySkip())
                {
                    return null;
                }

                var json = buffer.Slice(begin, reader.BytesConsumed - begin).ToArray();
                Take(ref buffer, reader);
                Row++;
                return json;
            }
            catch (JsonException fault)
            {
                throw RowFault.Of(plan.Place, Row + 1, _isClosed ? "stands behind the end of the list." : "is not JSON, or the list does not go on to it.", ErrorCode.CorruptFile, fault);
            }
        }

        public void RequireClosed()
        {
            if (!_isClosed)
            {
                throw RowFault.Of(plan.Place, Row + 1, "the file ends before its list does.");
            }
        }

        private bool Open(ref ReadOnlySequence<byte> buffer, bool isLast)
        {
            var reader = new Utf8JsonReader(buffer, isLast, _state);
            if (!reader.Read())
            {
                return false;
            }

            _isOpen = reader.TokenType == JsonTokenType.StartArray
                ? true
                : throw RowFault.Of(plan.Place, 1, "the file is no list of objects, [{...}, {...}]. For an object on each line give \"format\": \"jsonl\".", ErrorCode.UnsupportedFormat);
            Take(ref buffer, reader);
            return true;
        }

        private void Take(ref ReadOnlySequence<byte> buffer, in Utf8JsonReader reader)
        {
            _state = reader.CurrentState;
            buffer = buffer.Slice(reader.BytesConsumed);
        }
    }
}
