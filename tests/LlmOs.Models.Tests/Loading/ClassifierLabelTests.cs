using System.Text.Json;
using LlmOs.Models.Import;
using LlmOs.Models.Loading;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Loading;

/// <summary>Which function a classifier's configuration asks for: the rules of transformers' text classification.</summary>
public sealed class ClassifierLabelTests
{
    [Theory]
    [InlineData(null, 1, ScoreFunction.Sigmoid)]
    [InlineData("single_label_classification", 1, ScoreFunction.Sigmoid)]
    [InlineData("multi_label_classification", 1, ScoreFunction.Sigmoid)]
    [InlineData("regression", 1, ScoreFunction.None)]
    [InlineData(null, 3, ScoreFunction.Softmax)]
    [InlineData("single_label_classification", 3, ScoreFunction.Softmax)]
    [InlineData("multi_label_classification", 3, ScoreFunction.Sigmoid)]
    [InlineData("regression", 3, ScoreFunction.None)]
    public void The_kind_of_problem_and_the_number_of_labels_choose_the_function(string? problem, int labels, ScoreFunction function)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.At("config.json"), JsonSerializer.Serialize(new
        {
            model_type = "bert",
            architectures = new[] { "BertForSequenceClassification" },
            hidden_size = 8,
            intermediate_size = 16,
            num_hidden_layers = 1,
            num_attention_heads = 2,
            vocab_size = 16,
            hidden_act = "gelu",
            max_position_embeddings = 16,
            problem_type = problem,
            id2label = Enumerable.Range(0, labels).ToDictionary(i => $"{i}", i => $"label {i}"),
        }));

        var read = new SideFiles([new LayoutFile("config.json", folder.At("config.json"))]).ReadLabels();

        Assert.Equal(function, read.Function);
        Assert.Equal(Enumerable.Range(0, labels).Select(i => $"label {i}"), read.Names);
    }
}
