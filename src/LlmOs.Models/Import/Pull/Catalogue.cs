using LlmOs.Contracts;
using LlmOs.Models.Zoo;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Import.Pull;

/// <summary>
/// Well-known open models, each at one commit, so that a name means the same files everywhere and always. Numbers of
/// weights follow from the published configurations; nothing here was asked of the hub.
/// </summary>
internal static class Catalogue
{
    private const int F32 = 4; // bytes a weight
    private const int Bf16 = 2;
    private const string Text = "text-generation";
    private const string Apache = "apache-2.0";

    /// <summary>By size.</summary>
    public static IReadOnlyList<CatalogueEntry> Entries { get; } =
    [
        Entry("all-minilm-l6-v2", "sentence-transformers/all-MiniLM-L6-v2", "c9745ed1d9f207416be6d2e6f8de32d1f16199bf", "feature-extraction", "BertModel", 22_713_216, 256, Apache, F32),
        Entry("flan-t5-small", "google/flan-t5-small", "0fc9ddf78a1e988dac52e2dac162b0ede4fd74ab", "text2text-generation", "T5ForConditionalGeneration", 76_961_152, 512, Apache, F32),
        Entry("smollm2-135m-instruct", "HuggingFaceTB/SmolLM2-135M-Instruct", "12fd25f77366fa6b3b4b768ec3050bf629380bac", Text, "LlamaForCausalLM", 134_515_008, 8192, Apache, Bf16),
        Entry("smollm2-360m-instruct", "HuggingFaceTB/SmolLM2-360M-Instruct", "a10cc1512eabd3dde888204e902eca88bddb4951", Text, "LlamaForCausalLM", 361_821_120, 8192, Apache, Bf16),
        Entry("qwen2.5-0.5b-instruct", "Qwen/Qwen2.5-0.5B-Instruct", "7ae557604adf67be50417f59c2c2f167def9a775", Text, "Qwen2ForCausalLM", 494_032_768, 32768, Apache, Bf16),
        Entry("tinyllama-1.1b-chat-v1.0", "TinyLlama/TinyLlama-1.1B-Chat-v1.0", "fe8a4ea1ffedaf415f4da2f062534de366a451e6", Text, "LlamaForCausalLM", 1_100_048_384, 2048, Apache, Bf16),
    ];

    public static void MapCatalogue(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/v1/catalogue", List).WithTags("Models").WithName("ListCatalogue")
            .WithSummary("Well-known open models that can be imported by their source: repository, commit, licence, size and memory need.");

    private static Ok<Page<CatalogueEntry>> List() => TypedResults.Ok(new Page<CatalogueEntry>(Entries, null));

    private static CatalogueEntry Entry(
        string name, string repository, string commit, string task, string architecture, long parameters, int context, string license, int bytesPerWeight) => new(
            name,
            $"{HubReference.Scheme}{repository}@{commit}",
            task,
            architecture,
            Architectures.All.Any(a => a.ClassName == architecture),
            parameters,
            context,
            license,
            parameters * bytesPerWeight,
            parameters * F32);
}
