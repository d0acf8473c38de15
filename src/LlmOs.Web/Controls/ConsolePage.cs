using LlmOs.Contracts;
using LlmOs.Web.Language;
using Microsoft.AspNetCore.Components;

namespace LlmOs.Web.Controls;

/// <summary>What a page of the console has at hand: the platform, the words, and what to show when a call is refused.</summary>
public abstract class ConsolePage : ComponentBase, IDisposable
{
    private readonly CancellationTokenSource _left = new();

    protected ConsolePage() => Left = _left.Token;

    [Inject]
    public required LlmOsClient Client { get; set; }

    [Inject]
    public required TimeProvider Clock { get; set; }

    [Inject]
    public required NavigationManager Navigation { get; set; }

    [CascadingParameter]
    public required Texts T { get; set; }

    /// <summary>Fires when the person leaves the page.</summary>
    protected CancellationToken Left { get; }

    /// <summary>Why the last call failed, in the server's words; null when it did not.</summary>
    protected string? Trouble { get; private set; }

    /// <summary>What the server said of each field of the last call.</summary>
    protected IReadOnlyDictionary<string, string> FieldTroubles { get; private set; } = new Dictionary<string, string>();

    /// <summary>What was said of a field, or of a part of it.</summary>
    protected string? TroubleOf(string field) =>
        FieldTroubles.FirstOrDefault(t => t.Key == field || t.Key.StartsWith($"{field}.", StringComparison.Ordinal) || t.Key.StartsWith($"{field}[", StringComparison.Ordinal)).Value;

    public void Dispose()
    {
        _left.Cancel();
        _left.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Makes a call and shows its refusal instead of breaking the page.</summary>
    /// <returns>True when it was answered.</returns>
    protected async Task<bool> TryAsync(Func<CancellationToken, Task> call)
    {
        try
        {
            await call(Left);
            (Trouble, FieldTroubles) = (null, new Dictionary<string, string>());
            return true;
        }
        catch (LlmOsApiException refusal)
        {
            (Trouble, FieldTroubles) = (refusal.Message, refusal.Fields);
        }
        catch (HttpRequestException failure)
        {
            (Trouble, FieldTroubles) = (failure.Message, new Dictionary<string, string>());
        }
        catch (OperationCanceledException) when (Left.IsCancellationRequested)
        {
            // The page was left.
        }

        return false;
    }

    /// <summary>Looks again and again while the page is open. Begin it in <see cref="ComponentBase.OnAfterRender"/>, which is not called for the first, still page.</summary>
    protected async Task RepeatAsync(TimeSpan interval, Func<CancellationToken, Task> look)
    {
        try
        {
            using var timer = new PeriodicTimer(interval, Clock);
            while (await timer.WaitForNextTickAsync(Left))
            {
                await TryAsync(look);
                StateHasChanged();
            }
        }
        catch (OperationCanceledException)
        {
            // The page is closed.
        }
    }
}
