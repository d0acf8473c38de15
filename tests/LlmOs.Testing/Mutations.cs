namespace LlmOs.Testing;

/// <summary>Spoils real files, repeatably: the same seed always gives the same bytes.</summary>
public static class Mutations
{
    private static readonly byte[] Telling = [0, 1, 0x7F, 0x80, 0xFF, (byte)'"', (byte)'{', (byte)'}', (byte)'[', (byte)']', (byte)'/', (byte)'.', (byte)'\\', (byte)'-', (byte)'9'];

    private static readonly ulong[] Lengths =
        [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1UL << 40, long.MaxValue, 1UL << 63, ulong.MaxValue - 7, ulong.MaxValue];

    /// <summary>A copy with one to eight faults: bits turned, bytes and lengths replaced, runs cut, doubled or put in.</summary>
    public static byte[] Spoil(byte[] original, int seed)
    {
        var random = new Random(seed);
        var bytes = new List<byte>(original);
        var faults = random.Next(1, 9);
        // Half of the faults go into the first kilobyte, where headers are.
        int At() => random.Next(random.Next(2) == 0 ? Math.Min(bytes.Count, 1024) : bytes.Count);
        for (var fault = 0; fault < faults && bytes.Count > 0; fault++)
        {
            var at = At();
            switch (random.Next(8))
            {
                case 0 or 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes[at] = Telling[random.Next(Telling.Length)];
                    break;
                case 3 or 4:
                    var length = BitConverter.GetBytes(Lengths[random.Next(Lengths.Length)]);
                    for (var i = 0; i < (random.Next(2) == 0 ? 4 : 8) && at + i < bytes.Count; i++)
                    {
                        bytes[at + i] = length[i];
                    }

                    break;
                case 5:
                    bytes.RemoveRange(at, random.Next(Math.Min(64, bytes.Count - at) + 1));
                    break;
                case 6:
                    bytes.InsertRange(at, bytes.GetRange(at, random.Next(Math.Min(64, bytes.Count - at) + 1)));
                    break;
                default:
                    if (random.Next(4) == 0)
                    {
                        bytes.RemoveRange(at, bytes.Count - at);
                    }
                    else
                    {
                        bytes.Insert(at, (byte)random.Next(256));
                    }

                    break;
            }
        }

        return [.. bytes];
    }
}
