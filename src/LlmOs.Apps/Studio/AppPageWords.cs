using LlmOs.Contracts;

namespace LlmOs.Apps.Studio;

/// <summary>What an app's page says besides the words of its template.</summary>
/// <param name="MadeBy">With a place for the model's name.</param>
/// <param name="Answered">With a place for the number of the status.</param>
internal sealed record AppPageWords(
    string Key, string KeyHelp, string Start, string Stop, string MadeBy, string WrongKey, string Answered, string BrokenOff)
{
    private static readonly AppPageWords English = new(
        "Key of this app",
        "Whoever made the app has it. It stays in this tab.",
        "Start",
        "Stop",
        "Written by a language model ({0}): it may be wrong, and it means nothing by it.",
        "The key is not the key of this app.",
        "The server answered {0}.",
        "The server stopped in the middle.");

    private static readonly AppPageWords Chinese = new(
        "此应用的密钥",
        "由应用的创建者提供，只保存在此标签页中。",
        "开始",
        "停止",
        "由语言模型（{0}）写出：内容可能有误，不代表任何观点。",
        "此密钥不属于该应用。",
        "服务器返回了 {0}。",
        "服务器中途停止。");

    /// <param name="language">A key of <see cref="PageLanguages.All"/>.</param>
    public static AppPageWords Of(string language) => language == PageLanguages.Chinese ? Chinese : English;
}
