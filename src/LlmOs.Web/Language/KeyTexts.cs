using LlmOs.Contracts;

namespace LlmOs.Web.Language;

public sealed partial record Texts
{
    /// <summary>The words of the page of keys.</summary>
    public KeyTexts Keys => Tag == PageLanguages.Chinese ? KeyTexts.Chinese : KeyTexts.English;
}

/// <summary>The words of the page of keys. A text that a language lacks does not compile.</summary>
public sealed record KeyTexts
{
    public static KeyTexts English { get; } = new()
    {
        Title = "Keys",
        Explanation = "A key lets a program call this server. Give each program its own, with as few rights as it needs.",
        NoneYet = "There is no key yet.",
        Add = "Make a key",
        NameHelp = "For people: who or what uses it.",
        Expires = "Expires",
        ExpiresHelp = "Refused from this day on (UTC). Empty: never.",
        Made = "The key was made. Copy it now: it is not shown again.",
        Prefix = "Begins with",
        LastUsed = "Last used",
        Active = "active",
        Expired = "expired",
        Revoked = "revoked",
        Revoke = "Revoke",
        RevokeKey = "Revoke {0}",
        ReallyRevoke = "Really revoke?",
    };

    public static KeyTexts Chinese { get; } = new()
    {
        Title = "密钥",
        Explanation = "程序凭密钥调用本服务器。请为每个程序单独创建密钥，只授予所需的权限。",
        NoneYet = "还没有密钥。",
        Add = "创建密钥",
        NameHelp = "供人辨认：由谁或什么程序使用。",
        Expires = "到期日",
        ExpiresHelp = "从这一天起被拒绝（UTC）。留空表示永不到期。",
        Made = "密钥已创建。请立即复制，之后不再显示。",
        Prefix = "开头",
        LastUsed = "上次使用",
        Active = "有效",
        Expired = "已到期",
        Revoked = "已吊销",
        Revoke = "吊销",
        RevokeKey = "吊销 {0}",
        ReallyRevoke = "确定吊销？",
    };

    public required string Title { get; init; }

    public required string Explanation { get; init; }

    public required string NoneYet { get; init; }

    public required string Add { get; init; }

    public required string NameHelp { get; init; }

    public required string Expires { get; init; }

    public required string ExpiresHelp { get; init; }

    public required string Made { get; init; }

    public required string Prefix { get; init; }

    public required string LastUsed { get; init; }

    public required string Active { get; init; }

    public required string Expired { get; init; }

    public required string Revoked { get; init; }

    public required string Revoke { get; init; }

    public required string RevokeKey { get; init; }

    public required string ReallyRevoke { get; init; }
}
