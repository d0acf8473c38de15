using System.Text.RegularExpressions;

namespace LlmOs.Web.Language;

/// <summary>
/// What the server says of a job's progress, in Simplified Chinese. The server speaks English, as all its clients read it;
/// the console says the sentences that it knows in the page's language, and shows any other as it came.
/// </summary>
internal static class JobMessages
{
    private static readonly (Regex English, string Chinese)[] Sentences =
    [
        // Of every job.
        Sentence("waiting for a host", "等待可用的主机"),
        Sentence("waiting for a host: the last one stopped", "等待可用的主机：上一台已停止"),
        Sentence("waiting for other jobs", "等待其他任务"),
        Sentence("trying again: {0}", "正在重试：{0}"),
        Sentence("pausing", "正在暂停"),
        Sentence("paused", "已暂停"),
        Sentence("paused before it started", "开始前已暂停"),
        Sentence("cancelling", "正在取消"),
        Sentence("cancelled", "已取消"),
        Sentence("done", "已完成"),

        // Of training.
        Sentence("step {0}, loss {1}", "第 {0} 步，损失 {1}"),
        Sentence("step {0} writes: {1}", "第 {0} 步写出：{1}"),
        Sentence("training the tokenizer", "正在训练分词器"),
        Sentence("reading the text", "正在读取文本"),
        Sentence("tokenising the text", "正在对文本分词"),
        Sentence("training {0} weights in {1} on {2} tokens", "正在以 {1} 在 {2} 个词元上训练 {0} 个权重"),
        Sentence("going on from the checkpoint of step {0}", "从第 {0} 步的检查点继续"),
        Sentence("keeping the weights of step {0}, the best so far", "保留第 {0} 步的权重，目前最佳"),
        Sentence("writing the model", "正在写入模型"),
        Sentence("comparing the served graph with the trained model", "正在比对服务用计算图与训练所得模型"),

        // Of tokenizers.
        Sentence("counting the words", "正在统计词语"),
        Sentence("merging pairs", "正在合并字符对"),
        Sentence("weighing pieces", "正在计算片段权重"),
        Sentence("measuring the tokenizer on the text", "正在用文本衡量分词器"),

        // Of evaluations.
        Sentence("window {0} of {1}", "第 {0} 个窗口，共 {1} 个"),
        Sentence("row {0} of {1}", "第 {0} 行，共 {1} 行"),

        // Of imports.
        Sentence("asking the hub for {0}", "正在向模型中心查询 {0}"),
        Sentence("fetching {0}: {1} of {2}", "正在下载 {0}：{1}，共 {2}"),
        Sentence("fetching {0}: {1}", "正在下载 {0}：{1}"),
        Sentence("unpacking the archive", "正在解压归档"),
        Sentence("unpacking {0}", "正在解压 {0}"),
        Sentence("reading the GGUF file", "正在读取 GGUF 文件"),
        Sentence("converting the weights", "正在转换权重"),
        Sentence("rounding the weights to f16", "正在将权重舍入为 f16"),
        Sentence("merging the adapter into {0}", "正在将适配器合并到 {0}"),
        Sentence("checking the files", "正在检查文件"),
        Sentence("storing {0}", "正在存储 {0}"),
        Sentence("building the graph", "正在构建计算图"),
        Sentence("ready", "就绪"),
    ];

    public static string InChinese(string message)
    {
        foreach (var (english, chinese) in Sentences)
        {
            if (english.Match(message) is { Success: true } match)
            {
                return string.Format(null, chinese, [.. match.Groups.Values.Skip(1).Select(part => part.Value)]);
            }
        }

        return message;
    }

    private static (Regex English, string Chinese) Sentence(string english, string chinese)
    {
        var pattern = Regex.Replace(Regex.Escape(english), @"\\\{[0-9]}", "(.+?)");
        return (new Regex($"^{pattern}$", RegexOptions.Singleline | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking), chinese);
    }
}
