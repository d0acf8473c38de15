using System.ComponentModel.DataAnnotations;
using LlmOs.Contracts;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Http;

/// <summary>
/// What a list is asked for: how many rows, and after which. Take it as <c>[AsParameters] Paging paging</c>; every list of the
/// API has the same two parameters with the same bounds.
/// </summary>
public sealed record Paging
{
    /// <summary>Rows of a page when the request states no limit.</summary>
    public const int DefaultLimit = 50;

    /// <summary>Rows that a page may have.</summary>
    public const int MaxLimit = 500;

    /// <summary>Characters of a cursor: a model's name is the longest.</summary>
    public const int MaxCursor = 256;

    [FromQuery(Name = "limit")]
    [Range(1, MaxLimit)]
    public int? Limit { get; init; }

    [FromQuery(Name = "after")]
    [StringLength(MaxCursor)]
    public string? After { get; init; }

    /// <summary>Rows of this page.</summary>
    public int Size => Limit ?? DefaultLimit;

    /// <summary>The refusal of a cursor that was never given out.</summary>
    /// <param name="what">What the list holds, in the singular.</param>
    public LlmOsException UnknownCursor(string what) => Cursors.Unknown(After, what);
}

/// <summary>The same for OpenAI's lists, whose clients may ask for more than a page has and go on while there is more.</summary>
public sealed record ClientPaging
{
    private const int MaxAsked = 10_000;

    [FromQuery(Name = "limit")]
    [Range(1, MaxAsked)]
    public int? Limit { get; init; }

    [FromQuery(Name = "after")]
    [StringLength(Paging.MaxCursor)]
    public string? After { get; init; }

    /// <summary>By time of making: <c>asc</c> or <c>desc</c>.</summary>
    [FromQuery(Name = "order")]
    [AllowedValues("asc", "desc", null)]
    public string? Order { get; init; }

    /// <summary>Rows of this page.</summary>
    public int Size => Math.Min(Limit ?? Paging.MaxLimit, Paging.MaxLimit);

    /// <summary>What they expect who say nothing.</summary>
    public bool IsNewestFirst => Order is not "asc";
}

/// <summary>The same for lists whose rows are numbered, such as a job's events.</summary>
public sealed record NumberedPaging
{
    [FromQuery(Name = "limit")]
    [Range(1, Paging.MaxLimit)]
    public int? Limit { get; init; }

    [FromQuery(Name = "after")]
    [Range(0L, long.MaxValue)]
    public long? After { get; init; }

    /// <summary>Rows of this page.</summary>
    public int Size => Limit ?? Paging.DefaultLimit;
}

/// <summary>Makes pages of ordered rows.</summary>
public static class Pages
{
    /// <summary>Reads a page, and one row more to know whether another follows.</summary>
    /// <param name="rows">Ordered, and already behind the cursor.</param>
    /// <param name="cursor">What to send as <c>after</c> for the rows behind this one.</param>
    public static async Task<Page<TView>> ToPageAsync<TRow, TView>(
        this IQueryable<TRow> rows, int size, Func<TRow, TView> view, Func<TRow, string> cursor, CancellationToken cancel) =>
        (await rows.Take(size + 1).ToListAsync(cancel)).ToPage(size, view, cursor);

    /// <summary>A page of what was read; one row more than <paramref name="size"/> says that another page follows.</summary>
    public static Page<TView> ToPage<TRow, TView>(this IReadOnlyList<TRow> rows, int size, Func<TRow, TView> view, Func<TRow, string> cursor) =>
        new([.. rows.Take(size).Select(view)], rows.Count > size ? cursor(rows[size - 1]) : null);
}

/// <summary>Refusals of cursors.</summary>
internal static class Cursors
{
    public static LlmOsException Unknown(string? cursor, string what) =>
        LlmOsException.Invalid("after", $"after: there is no {what} '{Shown.Of(cursor ?? "")}'; send the next of the page before.");
}
