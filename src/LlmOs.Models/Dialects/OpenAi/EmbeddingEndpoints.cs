using System.Runtime.InteropServices;
using LlmOs.Contracts.OpenAi;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Metering;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;
using LlmOs.Models.Prompts;
using LlmOs.Models.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace LlmOs.Models.Dialects.OpenAi;

internal static class EmbeddingEndpoints
{
    private const int MaxTexts = 2048;

    public static void MapEmbeddings(this IEndpointRouteBuilder routes) => routes.MapPost("/v1/embeddings", Create)
        .WithName("CreateEmbedding")
        .WithSummary("Makes vectors of texts.")
        .WithDescription(
            "`input` is a text, a list of texts, token ids or lists of token ids. Vectors are pooled and normalised as the model's `modules.json` says, "
            + "else the mean of its states at length one. A text that is too long is refused unless `truncation` is `right` or `left`. `prompt_name` names "
            + "one of the model's prompts, which is put before each text.")
        .WithRequestExample("""{"model":"my-encoder","input":["The cat sits outside.","A man plays the guitar."]}""")
        .Answers<EmbeddingList>();

    private static async Task<Ok<EmbeddingList>> Create(EmbeddingRequest request, HttpContext http, IGenerationService generation, TokenizerShelf tokenizers, CancellationToken cancel)
    {
        var input = request.Input ?? throw LlmOsException.Invalid("input", "'input' is missing. Send a text, a list of texts, a list of token ids, or a list of such lists.");
        if (input.Items.Count > MaxTexts)
        {
            throw LlmOsException.Invalid("input", $"'input' holds {input.Items.Count} texts; at most {MaxTexts} are accepted.");
        }

        var truncation = TruncationOf(request.Truncation);
        var isBase64 = request.EncodingFormat switch
        {
            null or "float" => false,
            "base64" => true,
            _ => throw LlmOsException.Invalid("encoding_format", "'encoding_format' must be \"float\" or \"base64\"."),
        };
        var found = await generation.FindAsync(request.Model, ModelNeed.Reading, "model", cancel);
        AnswerHeaders.Version(http.Response, found);
        AnswerHeaders.Warn(http.Response, request.Unknown);
        await using var run = await generation.ReadAsync(found, Operations.Embedding, GenerationCaller.Of(http.User), cancel);
        var model = new EncoderModel(run, await tokenizers.OfAsync(found, cancel));
        var width = model.Facts.VectorWidth;
        var dimensions = (int)(GenerationRules.CheckWhole("dimensions", request.Dimensions, 1, width, $"1 to {width}, what the model gives") ?? width);

        var prompt = PromptOf(model, request, input);
        List<EncoderInput> texts = [.. input.Items.Select((item, i) => Encode(model, prompt, item, input.Items.Count > 1 ? $"input[{i}]" : "input", truncation))];
        var vectors = await InferenceFaults.TranslateAsync(model.EmbedAsync([.. texts.Select(t => t.Text)], prompt, cancel));

        var data = vectors.Select((v, i) => new EmbeddingObject("embedding", i, Shape(v, dimensions, isBase64))).ToList();
        var usage = await run.EndAsync();
        return TypedResults.Ok(new EmbeddingList("list", data, request.Model!, new EmbeddingUsage(usage.PromptTokens, usage.PromptTokens, usage.ToLlmOs(texts.Sum(t => t.Cut)))));
    }

    /// <summary>Ids are used as they are: what stands before them is theirs.</summary>
    private static string PromptOf(EncoderModel model, EmbeddingRequest request, PromptInput input)
    {
        const string Field = "prompt_name";
        var prompt = model.PromptOf(request.PromptName, Field);
        return input.Items.All(item => item.Text is not null) ? prompt
            : request.PromptName is null ? ""
            : throw LlmOsException.Invalid(Field, $"'{Field}' goes with texts; 'input' holds token ids, which are used as they are.");
    }

    private static EncoderInput Encode(EncoderModel model, string prompt, PromptItem item, string field, Truncation truncation)
    {
        if (item.Text is { } text)
        {
            return EncoderInput.Encode(model, field, model.Worded(prompt, text), null, new TextCut(truncation, CutText.LongestFirst));
        }

        var vocabulary = model.Facts.Vocabulary;
        TokenSpan[] spans = [.. item.Ids!.Select(id => (uint)id < (uint)vocabulary
            ? new TokenSpan(id, 0, 0, 0, 0)
            : throw LlmOsException.Invalid(field, $"'{field}' holds the id {id}; the model's ids go from 0 to {vocabulary - 1}."))];
        return EncoderInput.Fit(model, field, spans, new TextCut(truncation, CutText.LongestFirst), model.Facts.MaxTokens);
    }

    private static object Shape(float[] vector, int dimensions, bool isBase64)
    {
        if (dimensions < vector.Length)
        {
            vector = vector[..dimensions];
            SentenceLayout.NormaliseInPlace(vector);
        }

        return isBase64 ? Convert.ToBase64String(MemoryMarshal.AsBytes<float>(vector)) : vector;
    }

    private static Truncation TruncationOf(string? word) => word switch
    {
        null or "error" => Truncation.None,
        "right" => Truncation.Right,
        "left" => Truncation.Left,
        _ => throw LlmOsException.Invalid("truncation", "'truncation' must be \"error\", \"right\" or \"left\"."),
    };
}
