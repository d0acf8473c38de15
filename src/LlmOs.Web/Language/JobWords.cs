using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts;

namespace LlmOs.Web.Language;

/// <summary>What the console says of jobs: names of their kinds and sentences of their codes, in each of its languages.</summary>
internal static class JobWords
{
    /// <summary>Every kind of job.</summary>
    public static readonly FrozenDictionary<string, KindWords> Kinds = new Dictionary<string, KindWords>
    {
        ["training"] = new("training", "训练", HasCurve: true),
        ["evaluation"] = new("evaluation", "评估"),
        ["tokenizer"] = new("tokenizer", "分词器"),
        ["dataset"] = new("data set import", "数据集导入"),
        ["leakage"] = new("search for leaked rows", "泄漏检查"),
        ["preparation"] = new("data set preparation", "数据集预处理"),
        ["import"] = new("import", "导入"),
        ["verify"] = new("check of the stored files", "存储文件检查"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Every code, as <see cref="JobPhrase"/> takes sentences.</summary>
    public static readonly FrozenDictionary<string, CodeWords> Codes = new Dictionary<string, CodeWords>
    {
        // Of every job.
        ["waiting_for_host"] = new("waiting for a host", "等待可用的主机"),
        ["waiting_for_jobs"] = new("waiting for other jobs", "等待其他任务"),
        ["host_stopped"] = new("waiting for a host: the last one stopped", "等待可用的主机：上一台已停止"),
        ["started"] = new("started", "已开始"),
        ["host_silent"] = new("started again: {node} fell silent", "已重新开始：{node} 没有响应"),
        ["attempt_started"] = new("attempt {attempt} started on {node}", "第 {attempt} 次尝试已在 {node} 上开始"),
        ["attempt_again"] = new("attempt {attempt} started on {node}: {lost} fell silent", "第 {attempt} 次尝试已在 {node} 上开始：{lost} 没有响应"),
        ["trying_again"] = new("trying again: {error}", "正在重试：{error}"),
        ["pausing"] = new("pausing", "正在暂停"),
        ["paused"] = new("paused", "已暂停"),
        ["paused_before_start"] = new("paused before it started", "开始前已暂停"),
        ["cancelling"] = new("cancelling", "正在取消"),
        ["cancelled"] = new("cancelled", "已取消"),
        ["failed"] = new("{error}", "{error}"),
        ["failed_because"] = new("{error_code}: {error}", "{error_code}：{error}"),
        ["done"] = new("done", "已完成"),
        ["log_full"] = new("This attempt has written {lines} lines; further ones are dropped.", "本次尝试已写入 {lines} 行，其余不再记录。"),

        // Of checks of the stored files.
        ["verifying"] = new("checking stored file {file} of {files}", "正在检查第 {file} 个存储文件，共 {files} 个"),
        ["blob_damaged"] = new("The stored file {sha256} has changed. Import again what it belongs to.", "存储文件 {sha256} 已损坏。请重新导入其所属内容。"),

        // Of training.
        ["training_tokenizer"] = new("training the tokenizer", "正在训练分词器"),
        ["reading_text"] = new("reading the text", "正在读取文本"),
        ["tokenizing"] = new("tokenising the text", "正在对文本分词"),
        ["training_weights"] = new("training {weights} weights in {precision} on {tokens} tokens", "正在以 {precision} 在 {tokens} 个词元上训练 {weights} 个权重"),
        ["going_on"] = new("going on from the checkpoint of step {step}", "从第 {step} 步的检查点继续"),
        ["keeping_best"] = new("keeping the weights of step {step}, the best so far", "保留第 {step} 步的权重，目前最佳"),
        ["writing_model"] = new("writing the model", "正在写入模型"),
        ["no_validation"] = new("The {tokens} tokens kept for validation do not fill one window: there is no validation loss.", "留作验证的 {tokens} 个词元不足一个窗口：没有验证损失。"),
        ["small_vocabulary"] = new("The text has too few repeated words for {wanted} tokens: the vocabulary has {found}.", "文本中重复的词语太少，不足以得到 {wanted} 个词元：词表有 {found} 个。"),
        ["other_arithmetic"] = new(
            "The training goes on with other threads, another precision or another libtorch: the result is as good, but not the same to the bit.",
            "训练以不同的线程数、精度或 libtorch 继续：结果同样好，但不会逐位相同。"),
        ["step_skipped"] = new("Step {step} was skipped: loss {loss:g4}, gradient norm {norm:g4}.", "第 {step} 步已跳过：损失 {loss:g4}，梯度范数 {norm:g4}。"),
        ["rolled_back"] = new(
            "Three gradients in a row were no use: back to the weights of step {step}, at half the rate.", "连续三次梯度不可用：回到第 {step} 步的权重，学习率减半。"),
        ["checkpoint_damaged"] = new("The checkpoint '{checkpoint}' is damaged and is not used.", "检查点“{checkpoint}”已损坏，不会使用。"),
        ["step"] = new("step {step}, loss {loss:0.000}", "第 {step} 步，损失 {loss:0.000}"),
        ["sample"] = new("step {step} writes: {prompt}{text}", "第 {step} 步写出：{prompt}{text}"),
        ["trainer_silent"] = new("The trainer said nothing for a minute and was ended.", "训练进程一分钟没有响应，已被结束。"),
        ["trainer_gave_up"] = new("The trainer gave up: {error}", "训练进程已放弃：{error}"),
        ["trainer_killed"] = new("The trainer was killed (signal 9).", "训练进程被强制结束（信号 9）。"),
        ["trainer_signalled"] = new("The trainer was ended by signal {signal}.", "训练进程被信号 {signal} 结束。"),
        ["trainer_ended_by_others"] = new("The trainer was ended by somebody (signal 15).", "训练进程被他人结束（信号 15）。"),
        ["trainer_ended"] = new("The trainer ended with code {exit_code} and without a result.", "训练进程以代码 {exit_code} 结束，没有结果。"),
        ["restarted_at_step"] = new(
            "Going on from the checkpoint of step {step} (restart {restart} of {max} without progress)", "从第 {step} 步的检查点继续（没有进展的第 {restart} 次重启，最多 {max} 次）"),
        ["restarted_at_start"] = new("Going on from the beginning (restart {restart} of {max} without progress)", "从头继续（没有进展的第 {restart} 次重启，最多 {max} 次）"),
        ["trained"] = new("trained for {steps} steps", "已训练 {steps} 步"),
        ["comparing"] = new("comparing the served graph with the trained model", "正在比对服务用计算图与训练所得模型"),

        // Of tokenizers.
        ["counting_words"] = new("counting the words", "正在统计词语"),
        ["merging_pairs"] = new("merging pairs", "正在合并字符对"),
        ["weighing_pieces"] = new("weighing pieces", "正在计算片段权重"),
        ["measuring_tokenizer"] = new("measuring the tokenizer on the text", "正在用文本衡量分词器"),
        ["few_repeats"] = new("The text has too few repeated parts for {wanted} tokens: the vocabulary has {found}.", "文本中重复的片段太少，不足以得到 {wanted} 个词元：词表有 {found} 个。"),

        // Of evaluations.
        ["window"] = new("window {window} of {windows}", "第 {window} 个窗口，共 {windows} 个"),
        ["row"] = new("row {row} of {rows}", "第 {row} 行，共 {rows} 行"),

        // Of data sets.
        ["unpacking_rows"] = new("unpacking the archive", "正在解压归档"),
        ["reading_rows"] = new("reading {file}: {rows} rows", "正在读取 {file}：{rows} 行"),
        ["preparing_rows"] = new("preparing rows: {row} of {rows}", "正在预处理：第 {row} 行，共 {rows} 行"),
        ["comparing_rows"] = new("comparing rows: {row} of {rows}", "正在比较：第 {row} 行，共 {rows} 行"),
        ["writing_rows"] = new("writing rows: {row} of {rows}", "正在写入：第 {row} 行，共 {rows} 行"),

        // Of imports.
        ["asking_hub"] = new("asking the hub for {repository}", "正在向模型中心查询 {repository}"),
        ["fetching"] = new("fetching {file}: {done:bytes} of {total:bytes}", "正在下载 {file}：{done:bytes}，共 {total:bytes}"),
        ["fetching_unsized"] = new("fetching {file}: {done:bytes}", "正在下载 {file}：{done:bytes}"),
        ["unpacking_archive"] = new("unpacking the archive", "正在解压归档"),
        ["unpacking_file"] = new("unpacking {file}", "正在解压 {file}"),
        ["reading_gguf"] = new("reading the GGUF file", "正在读取 GGUF 文件"),
        ["converting_weights"] = new("converting the weights", "正在转换权重"),
        ["rounding_weights"] = new("rounding the weights to {precision}", "正在将权重舍入为 {precision}"),
        ["merging_adapter"] = new("merging the adapter into {base}", "正在将适配器合并到 {base}"),
        ["checking_files"] = new("checking the files", "正在检查文件"),
        ["storing_file"] = new("storing {file}", "正在存储 {file}"),
        ["building_graph"] = new("building the graph", "正在构建计算图"),
        ["ready"] = new("ready", "就绪"),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <param name="HasCurve">Whether its jobs measure a loss step by step.</param>
    internal sealed record KindWords(string English, string Chinese, bool HasCurve = false);

    internal sealed record CodeWords(string English, string Chinese);
}

/// <content>The words of jobs' kinds and codes.</content>
public sealed partial record Texts
{
    /// <summary>The name of a job's kind; of a kind that the console does not know, the API's word.</summary>
    public string JobKind(string kind) => JobWords.Kinds.TryGetValue(kind, out var words) ? Tag == PageLanguages.Chinese ? words.Chinese : words.English : kind;

    /// <summary>Whether jobs of this kind have a curve of losses, and can be compared by it.</summary>
    public static bool HasCurve(string kind) => JobWords.Kinds.TryGetValue(kind, out var words) && words.HasCurve;

    /// <summary>What a job says, in this language; the server's English line where the console does not know the code.</summary>
    public string JobMessage(string? code, JsonElement? arguments, string message) =>
        code is not null && JobWords.Codes.TryGetValue(code, out var words)
            ? JobPhrase.Fill(Tag == PageLanguages.Chinese ? words.Chinese : words.English, arguments, CultureInfo.GetCultureInfo(Tag), Controls.Figures.Size)
            : message;
}
