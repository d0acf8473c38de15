using System.Net;
using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;
using LlmOs.Models.Tests.Registry;

namespace LlmOs.Models.Tests.Import.SideFiles;

/// <summary>Whatever lies in the small files of a model folder: the import refuses it by name, or the model works; and no list ever fails.</summary>
public sealed class SideFileWalkTests : RegistryHttpTests
{
    public static TheoryData<string> Models => [.. WalkedModel.All.Keys];

    [Theory]
    [MemberData(nameof(Models))]
    public async Task A_spoilt_side_file_is_refused_by_name_or_the_model_works(string kind)
    {
        var model = WalkedModel.All[kind];
        var folder = Path.Combine(World.Folder.Import, "walked");
        List<string> wrong = [];
        foreach (var path in model.Write(folder))
        {
            var place = Path.Combine(folder, path);
            var whole = await File.ReadAllBytesAsync(place);
            foreach (var (way, bytes) in SpoiltFile.Of(whole, random: 0))
            {
                await File.WriteAllBytesAsync(place, bytes);
                if (await FaultAsync(model, folder, path) is { } fault)
                {
                    wrong.Add($"{path}, {way}: {fault}");
                }
            }

            await File.WriteAllBytesAsync(place, whole);
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} faults:\n{string.Join('\n', wrong)}");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task As_published_it_answers_every_request(string kind)
    {
        var model = WalkedModel.All[kind];
        var folder = Path.Combine(World.Folder.Import, "walked");
        model.Write(folder);
        await World.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "m" });

        foreach (var (path, json) in model.Texts.Append(model.Ids))
        {
            var (status, text) = await PostAsync(path, json);
            Assert.True(status == HttpStatusCode.OK, $"{path}: {text}");
        }
    }

    [Theory]
    [InlineData("tokenizer_config.json", "")]
    [InlineData("special_tokens_map.json", "{\"bos_token\":")]
    [InlineData("chat_template.json", "\"\\ud800\"")]
    [InlineData("generation_config.json", "[]")]
    public async Task A_version_with_a_broken_file_that_was_stored_before_files_were_checked_harms_no_list_and_says_so_itself(string file, string content)
    {
        var folder = World.WriteModel("good");
        await World.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "good" });
        await StoreUncheckedAsync("bad", "good", file, content);

        var list = await SendAsync(HttpMethod.Get, "/v1/models");
        var one = await SendAsync(HttpMethod.Get, "/v1/models/bad");
        var (status, text) = await PostAsync("/v1/completions", """{"model":"bad","prompt":[1,2],"max_tokens":1}""");

        Assert.Equal(["bad", "good"], list.Body.GetProperty("data").EnumerateArray().Select(m => m.GetProperty("id").GetString()));
        Assert.Equal(HttpStatusCode.OK, one.Status);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(file, text);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("/v1/completions", """{"model":"good","prompt":[1,2],"max_tokens":1}""")).Status);
    }

    /// <summary>What is wrong with how a spoilt folder was dealt with; null when nothing is.</summary>
    private async Task<string?> FaultAsync(WalkedModel model, string folder, string path)
    {
        try
        {
            await World.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "m" });
        }
        catch (LlmOsException refusal)
        {
            // A configuration of other numbers does not fit the weights, and then they are what is named.
            return path == "config.json" || refusal.Message.Contains(path, StringComparison.Ordinal) ? null : $"refused without its name: {refusal.Message}";
        }
        catch (Exception bug)
        {
            return $"the import failed: {bug}";
        }

        var list = await SendAsync(HttpMethod.Get, "/v1/models");
        if (list.Status != HttpStatusCode.OK)
        {
            return $"the list answers {list.Status}: {list.Body}";
        }

        var (status, text) = await PostAsync(model.Ids.Path, model.Ids.Json);
        if (status != HttpStatusCode.OK)
        {
            return $"imported, but ids are answered with {status}: {text}";
        }

        foreach (var (route, json) in model.Texts)
        {
            (status, text) = await PostAsync(route, json);
            if (status is not (HttpStatusCode.OK or HttpStatusCode.BadRequest))
            {
                return $"imported, but {route} answers {status}: {text}";
            }
        }

        var deleted = await SendAsync(HttpMethod.Delete, "/api/v1/models/m");
        return deleted.Status == HttpStatusCode.NoContent ? null : $"it cannot be deleted: {deleted.Status} {deleted.Body}";
    }

    private async Task<(HttpStatusCode Status, string Text)> PostAsync(string path, string json)
    {
        using var answer = await Http.PostAsync(path, new StringContent(json, Encoding.UTF8, "application/json"));
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Lists the files of a version, one of them replaced, as an import did that did not look into it.</summary>
    private async Task StoreUncheckedAsync(string name, string like, string file, string content)
    {
        await using var db = await World.DbAsync();
        var version = (await ModelResolver.ResolveAsync(db, like, CancellationToken.None)).ToView();
        var blob = await World.Get<ArtifactStore>().PutAsync(new MemoryStream(Encoding.UTF8.GetBytes(content)), CancellationToken.None);
        await World.PublishAsync(RegistryWorld.Version(name) with
        {
            Vocabulary = version.Vocabulary,
            Files = [.. version.Files.Where(f => f.Path != file), new ModelFileView(file, blob.Sha256, blob.Bytes)],
        });
    }
}
