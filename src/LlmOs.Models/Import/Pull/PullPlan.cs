using System.Text.RegularExpressions;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Import.Pull;

/// <summary>Which files of a repository make the model, and nothing else: repositories carry the same weights in several forms.</summary>
/// <param name="Texts">Configuration, tokenizer and card; fetched first, since they tell what the weights need.</param>
/// <param name="Single">The one file that is the model, where it is a GGUF.</param>
internal sealed partial record PullPlan(IReadOnlyList<HubFile> Texts, IReadOnlyList<HubFile> Weights, string? Single)
{
    private static readonly HashSet<string> TextNames = new(StringComparer.Ordinal)
    {
        "config.json", "generation_config.json", "adapter_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
        "added_tokens.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "source.spm", "target.spm", "vocab.json", "vocab.txt",
        "merges.txt", "chat_template.jinja", "README.md", "LICENSE", "LICENSE.txt", "LICENSE.md",
        "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json",
    };

    public long Bytes => Texts.Concat(Weights).Sum(f => f.Bytes);

    /// <summary>Whether a path that the hub states may become one of this machine.</summary>
    public static bool IsPlain(string path) => PlainPath().IsMatch(path);

    /// <param name="file">A file that the caller chose; null takes what the repository has in the best form.</param>
    /// <exception cref="LlmOsException">The repository has no model in a form that is read, or several of which one must be chosen.</exception>
    public static PullPlan Of(IReadOnlyList<HubFile> files, string? file)
    {
        if (files.FirstOrDefault(f => !PlainPath().IsMatch(f.Path) && (f.Path == file || TextNames.Contains(f.Path))) is { } odd)
        {
            throw new LlmOsException(ErrorCode.CorruptFile, $"'{ModelName.Shorten(odd.Path)}' is not the path of a file in a model.");
        }

        if (file is not null)
        {
            var chosen = files.FirstOrDefault(f => f.Path == file) ?? throw new LlmOsException(ErrorCode.MissingFile, $"The repository has no file '{ModelName.Shorten(file)}'.") { Field = "source" };
            return chosen.Path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)
                ? OfGguf(files, chosen)
                : throw new LlmOsException(ErrorCode.UnsupportedFormat, $"'{ModelName.Shorten(file)}' cannot be imported by itself; only a GGUF can.") { Field = "source" };
        }

        var weights = FindWeights(files);
        if (weights.Count > 0)
        {
            return new PullPlan([.. files.Where(f => TextNames.Contains(f.Path) || ModuleFile().IsMatch(f.Path))], weights, null);
        }

        var ggufs = files.Where(f => f.Path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) && PlainPath().IsMatch(f.Path)).ToList();
        var firsts = ggufs.Where(f => SplitGguf().Match(f.Path) is not { Success: true } part || part.Groups["at"].Value == "00001").ToList();
        return firsts.Count switch
        {
            1 => OfGguf(files, firsts[0]),
            0 => throw NoWeights(files),
            _ => throw new LlmOsException(ErrorCode.UnsupportedFormat, $"The repository has {firsts.Count} GGUF files: {string.Join(", ", firsts.Take(12).Select(f => f.Path))}. One must be chosen.")
            {
                Field = "source",
                Hint = $"Add it to the source: hf:org/name#{firsts[0].Path}",
            },
        };
    }

    /// <summary>Safetensors in one file, else in shards, else an adapter's, else a graph.</summary>
    private static List<HubFile> FindWeights(IReadOnlyList<HubFile> files)
    {
        List<HubFile> Where(Func<string, bool> matches) => [.. files.Where(f => matches(f.Path))];
        var whole = Where(path => path == ModelFolder.WeightsFile);
        if (whole.Count > 0)
        {
            return whole;
        }

        var shards = Where(path => Shard().IsMatch(path));
        if (shards.Count > 0 && files.Any(f => f.Path == ModelFolder.IndexFile))
        {
            return [.. files.Where(f => f.Path == ModelFolder.IndexFile), .. shards];
        }

        var adapter = Where(path => path == "adapter_model.safetensors");
        if (adapter.Count > 0 && files.Any(f => f.Path == "adapter_config.json"))
        {
            return adapter;
        }

        var graph = OnnxLayout.FilesAmong([.. files.Select(f => f.Path)]);
        return Where(path => graph.Contains(path) && PlainPath().IsMatch(path));
    }

    private static PullPlan OfGguf(IReadOnlyList<HubFile> files, HubFile first)
    {
        var parts = SplitGguf().Match(first.Path) is { Success: true } part
            ? files.Where(f => SplitGguf().Match(f.Path) is { Success: true } other && other.Groups["base"].Value == part.Groups["base"].Value && other.Groups["of"].Value == part.Groups["of"].Value).ToList()
            : [first];
        return new PullPlan([], parts, first.Path);
    }

    private static LlmOsException NoWeights(IReadOnlyList<HubFile> files)
    {
        var pickle = files.FirstOrDefault(f => Pickle().IsMatch(f.Path))?.Path;
        return pickle is null
            ? new LlmOsException(ErrorCode.MissingFile, "The repository has no model.safetensors, no shards with an index, no GGUF, and no model.onnx.") { Field = "source" }
            : new LlmOsException(ErrorCode.UnsupportedFormat, $"The repository has its weights in {ModelName.Shorten(pickle)} only, which is not read because such files may run code. Expected: safetensors, GGUF or ONNX.") { Field = "source" };
    }

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9._ -]*(/[A-Za-z0-9_][A-Za-z0-9._ -]*){0,3}\z")]
    private static partial Regex PlainPath();

    [GeneratedRegex(@"\Amodel-\d{5}-of-\d{5}\.safetensors\z")]
    private static partial Regex Shard();

    /// <summary>Of a sentence-transformers model: <c>1_Pooling/config.json</c>, <c>2_Dense/model.safetensors</c>.</summary>
    [GeneratedRegex(@"\A\d{1,2}_[A-Za-z]{1,40}/(config\.json|model\.safetensors)\z")]
    private static partial Regex ModuleFile();

    [GeneratedRegex(@"\A(?<base>.+)-(?<at>\d{5})-of-(?<of>\d{5})\.gguf\z")]
    private static partial Regex SplitGguf();

    [GeneratedRegex(@"\.(bin|pt|pth|ckpt|pkl|h5|msgpack)\z")]
    private static partial Regex Pickle();
}
