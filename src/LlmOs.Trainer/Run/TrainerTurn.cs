using System.Diagnostics;
using System.Globalization;
using LlmOs.Trainer.Files;

namespace LlmOs.Trainer.Run;

/// <summary>
/// Which of the trainers that were started for a job may write its folder: the one with the highest number. A trainer whose
/// host died, or was thought dead, finds a higher number there, or finds the folder gone, and ends.
/// </summary>
internal sealed class TrainerTurn
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly string _file;
    private readonly long _number;
    private long _looked;

    private TrainerTurn(string file, long number) => (_file, _number) = (file, number);

    /// <summary>Claims a folder.</summary>
    /// <exception cref="OperationCanceledException">A later trainer has claimed it.</exception>
    public static TrainerTurn Claim(string folder, long number)
    {
        Directory.CreateDirectory(folder);
        var turn = new TrainerTurn(Path.Combine(folder, "turn"), number);
        if (File.Exists(turn._file))
        {
            turn.Check();
        }

        DurableFolder.ReplaceText(turn._file, number.ToString(CultureInfo.InvariantCulture));
        return turn;
    }

    /// <exception cref="OperationCanceledException">A later trainer has claimed the folder.</exception>
    public void Check()
    {
        _looked = Stopwatch.GetTimestamp();
        if (!File.Exists(_file) || !long.TryParse(File.ReadAllText(_file), NumberStyles.None, CultureInfo.InvariantCulture, out var holder) || holder > _number)
        {
            throw new OperationCanceledException("Another trainer goes on with this job.");
        }
    }

    /// <summary>As <see cref="Check"/>, but looks at the disk once a second at most.</summary>
    public void CheckNowAndThen()
    {
        if (Stopwatch.GetElapsedTime(_looked) >= LookEvery)
        {
            Check();
        }
    }
}
