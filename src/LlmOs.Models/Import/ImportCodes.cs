using LlmOs.Infrastructure.Jobs;

namespace LlmOs.Models.Import;

/// <summary>What imports say, and what else takes a model into the store.</summary>
internal static class ImportCodes
{
    public static readonly JobCode AskingHub = new("asking_hub", "asking the hub for {repository}");
    public static readonly JobCode Fetching = new("fetching", "fetching {file}: {done:bytes} of {total:bytes}");
    public static readonly JobCode FetchingUnsized = new("fetching_unsized", "fetching {file}: {done:bytes}");
    public static readonly JobCode UnpackingArchive = new("unpacking_archive", "unpacking the archive");
    public static readonly JobCode UnpackingFile = new("unpacking_file", "unpacking {file}");
    public static readonly JobCode ReadingGguf = new("reading_gguf", "reading the GGUF file");
    public static readonly JobCode ConvertingWeights = new("converting_weights", "converting the weights");
    public static readonly JobCode RoundingWeights = new("rounding_weights", "rounding the weights to {precision}");
    public static readonly JobCode MergingAdapter = new("merging_adapter", "merging the adapter into {base}");
    public static readonly JobCode CheckingFiles = new("checking_files", "checking the files");
    public static readonly JobCode StoringFile = new("storing_file", "storing {file}");
    public static readonly JobCode BuildingGraph = new("building_graph", "building the graph");
    public static readonly JobCode Ready = new("ready", "ready");
}
