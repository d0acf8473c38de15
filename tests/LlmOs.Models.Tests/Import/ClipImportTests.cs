using System.Net;
using System.Text.Json.Nodes;
using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Models.Tests.Registry;
using LlmOs.Models.Tests.Zoo;

namespace LlmOs.Models.Tests.Import;

/// <summary>CLIP's text encoder as a published folder, over HTTP: its own vector of a text is what embeddings are.</summary>
public sealed class ClipImportTests : RegistryHttpTests
{
    [Theory]
    [InlineData("clip-text")]
    [InlineData("clip-text-old-end")]
    [InlineData("clip-text-projection")]
    public async Task Embeddings_are_the_vectors_that_transformers_recorded(string name)
    {
        var model = new RecordedModel(name);

        await ImportAsync(model, model.ConfigText, []);

        await CompareAsync(model);
    }

    [Fact]
    public async Task Of_a_whole_CLIP_the_part_for_texts_is_served_and_what_its_configuration_leaves_out_is_known()
    {
        var model = new RecordedModel("clip-text-projection");
        var text = JsonNode.Parse(model.ConfigText)!.AsObject();
        text["hidden_size"] = 999; // the older name beside it goes before it
        text["projection_dim"] = 999; // that of the whole counts
        text.Remove("architectures");
        var whole = new JsonObject
        {
            ["architectures"] = new JsonArray("CLIPModel"),
            ["model_type"] = "clip",
            ["projection_dim"] = 20,
            ["text_config"] = text,
            ["text_config_dict"] = new JsonObject { ["hidden_size"] = 16 },
            ["vision_config"] = new JsonObject { ["hidden_size"] = 32 },
        };

        await ImportAsync(model, whole.ToJsonString(), [("vision_model.pre_layrnorm.weight", 32), ("visual_projection.weight", 16), ("logit_scale", 1)]);

        await CompareAsync(model);
    }

    private async Task ImportAsync(RecordedModel model, string config, (string Name, int Elements)[] more)
    {
        var folder = Directory.CreateDirectory(Path.Combine(World.Folder.Import, Guid.NewGuid().ToString("n"))).FullName;
        File.WriteAllText(Path.Combine(folder, "config.json"), config);
        using (var stream = File.Create(Path.Combine(folder, "model.safetensors")))
        {
            var writer = new SafetensorsWriter(stream, [.. model.Tensors, .. more.Select(m => new TensorInfo(m.Name, TensorType.F32, [m.Elements]))]);
            foreach (var tensor in model.Tensors)
            {
                var values = new float[tensor.Elements];
                model.Read(tensor.Name, 0, values);
                writer.Write(tensor.Name, values);
            }

            foreach (var (name, elements) in more)
            {
                writer.Write(name, new float[elements]);
            }

            writer.Complete();
        }

        await World.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "clip" });
    }

    private async Task CompareAsync(RecordedModel model)
    {
        foreach (var test in model.Cases)
        {
            var answer = await SendAsync(HttpMethod.Post, "/v1/embeddings", new { model = "clip", input = RecordedModel.Ids(test, "ids") });

            Assert.True(answer.Status == HttpStatusCode.OK, answer.Body.ToString());
            float[] vector = [.. answer.Body.GetProperty("data")[0].GetProperty("embedding").EnumerateArray().Select(v => v.GetSingle())];
            Assert.InRange(ReferenceCase.Difference(RecordedModel.Values(test, "sentence")!, vector), 0, 1e-4);
        }
    }
}
