using LlmOs.Contracts;

namespace LlmOs.Web.Language;

public sealed partial record Texts
{
    /// <summary>The words of the page of usage.</summary>
    public UsageTexts Usage => Tag == PageLanguages.Chinese ? UsageTexts.Chinese : UsageTexts.English;
}

/// <summary>The words of the page of usage. A text that a language lacks does not compile.</summary>
public sealed record UsageTexts
{
    public static UsageTexts English { get; } = new()
    {
        Title = "Usage",
        Explanation = "What runs of models cost, counted where tokens are made. Admins see all runs, others their own. Days are days of UTC.",
        NoRuns = "No model ran in this time.",
        Period = "Period",
        Today = "Today",
        LastDays = "{0} days",
        AllTime = "All time",
        AddUp = "Add up by",
        ByUser = "User",
        ByApp = "App",
        ByDay = "Day",
        Requests = "Requests",
        Read = "Tokens read",
        Cached = "Of them cached",
        Made = "Tokens made",
        Time = "Time",
        Without = "none",
        Others = "Others",
    };

    public static UsageTexts Chinese { get; } = new()
    {
        Title = "用量",
        Explanation = "模型运行的开销，在生成词元处计数。管理员看到全部，其他人只看到自己的。日期按 UTC 计算。",
        NoRuns = "这段时间内没有运行过模型。",
        Period = "时间段",
        Today = "今天",
        LastDays = "{0} 天",
        AllTime = "全部时间",
        AddUp = "汇总方式",
        ByUser = "用户",
        ByApp = "应用",
        ByDay = "日期",
        Requests = "请求数",
        Read = "读取词元",
        Cached = "其中已缓存",
        Made = "生成词元",
        Time = "用时",
        Without = "无",
        Others = "其他",
    };

    public required string Title { get; init; }

    public required string Explanation { get; init; }

    public required string NoRuns { get; init; }

    public required string Period { get; init; }

    public required string Today { get; init; }

    public required string LastDays { get; init; }

    public required string AllTime { get; init; }

    public required string AddUp { get; init; }

    public required string ByUser { get; init; }

    public required string ByApp { get; init; }

    public required string ByDay { get; init; }

    public required string Requests { get; init; }

    public required string Read { get; init; }

    public required string Cached { get; init; }

    public required string Made { get; init; }

    public required string Time { get; init; }

    public required string Without { get; init; }

    public required string Others { get; init; }
}
