using LlmOs.Contracts;

namespace LlmOs.Web.Language;

public sealed partial record Texts
{
    /// <summary>The words of the page of models in memory.</summary>
    public RunningTexts InMemory => Tag == PageLanguages.Chinese ? RunningTexts.Chinese : RunningTexts.English;
}

/// <summary>The words of the page of models in memory. A text that a language lacks does not compile.</summary>
public sealed record RunningTexts
{
    public static RunningTexts English { get; } = new()
    {
        Title = "In memory",
        Explanation = "The first request loads a model. An idle one goes when its memory is needed or its time is over; a pinned one stays.",
        NoneYet = "No model is in memory.",
        Load = "Load",
        Unload = "Unload",
        UnloadModel = "Unload {0}",
        Pin = "Pin",
        PinModel = "Pin {0}",
        Unpin = "Unpin",
        UnpinModel = "Unpin {0}",
        Requests = "Requests",
        Cache = "Keys and values",
        Until = "Stays until",
        UntilNeeded = "its memory is needed",
        Pinned = "pinned",
        Loading = "loading",
        Ready = "ready",
        Unloading = "unloading",
    };

    public static RunningTexts Chinese { get; } = new()
    {
        Title = "内存中的模型",
        Explanation = "首个请求会加载模型。空闲的模型在需要其内存或到期时卸载；固定的模型保留。",
        NoneYet = "内存中没有模型。",
        Load = "加载",
        Unload = "卸载",
        UnloadModel = "卸载 {0}",
        Pin = "固定",
        PinModel = "固定 {0}",
        Unpin = "取消固定",
        UnpinModel = "取消固定 {0}",
        Requests = "请求",
        Cache = "键值缓存",
        Until = "保留至",
        UntilNeeded = "需要其内存时",
        Pinned = "已固定",
        Loading = "加载中",
        Ready = "就绪",
        Unloading = "卸载中",
    };

    public required string Title { get; init; }

    public required string Explanation { get; init; }

    public required string NoneYet { get; init; }

    public required string Load { get; init; }

    public required string Unload { get; init; }

    public required string UnloadModel { get; init; }

    public required string Pin { get; init; }

    public required string PinModel { get; init; }

    public required string Unpin { get; init; }

    public required string UnpinModel { get; init; }

    public required string Requests { get; init; }

    public required string Cache { get; init; }

    public required string Until { get; init; }

    public required string UntilNeeded { get; init; }

    public required string Pinned { get; init; }

    public required string Loading { get; init; }

    public required string Ready { get; init; }

    public required string Unloading { get; init; }
}
