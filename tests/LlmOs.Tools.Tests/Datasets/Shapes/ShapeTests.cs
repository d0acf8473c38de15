using System.Text;
using System.Text.Json;
using LlmOs.Tools.Datasets;
using LlmOs.Tools.Datasets.Rows;
using LlmOs.Tools.Datasets.Shapes;

namespace LlmOs.Tools.Tests.Datasets.Shapes;

/// <summary>Each shape of rows for training: how it is told, what its rows become, and what hostile rows are refused for.</summary>
public sealed class ShapeTests
{
    /// <summary>Shape, row, row after the conversion.</summary>
    public static TheoryData<string, string, string> Rows => new()
    {
        {
            "chat",
            """{"id":7,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Hi "},{"type":"text","text":"there"}],"mood":1},{"role":"assistant","content":"Hello.","weight":0}]}""",
            """{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi there"},{"role":"assistant","content":"Hello.","weight":0}]}"""
        },
        {
            "chat",
            """{"messages":[{"role":"user","content":"Rain?"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"dry"},{"role":"assistant","content":"No."}],"tools":[{"type":"function","function":{"name":"weather"}}]}""",
            """{"messages":[{"role":"user","content":"Rain?"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{}"}}]},{"role":"tool","content":"dry","tool_call_id":"c1"},{"role":"assistant","content":"No."}],"tools":[{"type":"function","function":{"name":"weather"}}]}"""
        },
        {
            "chat",
            """{"messages":"[{\"role\":\"user\",\"content\":\"in a cell\"},{\"role\":\"assistant\",\"content\":\"of a CSV\"}]"}""",
            """{"messages":[{"role":"user","content":"in a cell"},{"role":"assistant","content":"of a CSV"}]}"""
        },
        {
            "sharegpt",
            """{"conversations":[{"from":"human","value":"Hi"},{"from":"gpt","value":"Hello."},{"from":"user","value":"Bye"},{"from":"model","value":"Bye."}],"system":"Be brief."}""",
            """{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello."},{"role":"user","content":"Bye"},{"role":"assistant","content":"Bye."}]}"""
        },
        {
            "alpaca",
            """{"instruction":"Translate into French.","input":"Good day","output":"Bonjour"}""",
            """{"messages":[{"role":"user","content":"Translate into French.\n\nGood day"},{"role":"assistant","content":"Bonjour"}]}"""
        },
        {
            "alpaca",
            """{"instruction":"Name a fruit.","input":"","output":"Apple","text":"all of it"}""",
            """{"messages":[{"role":"user","content":"Name a fruit."},{"role":"assistant","content":"Apple"}]}"""
        },
        {
            "completion",
            """{"prompt":"1 + 1 =","completion":" 2"}""",
            """{"messages":[{"role":"user","content":"1 + 1 ="},{"role":"assistant","content":" 2"}]}"""
        },
        {
            "completion",
            """{"prompt":[{"role":"system","content":"Answer in JSON."},{"role":"user","content":"Ages?"}],"completion":"[{\"age\":3}]"}""",
            """{"messages":[{"role":"system","content":"Answer in JSON."},{"role":"user","content":"Ages?"},{"role":"assistant","content":"[{\"age\":3}]"}]}"""
        },
        {
            "openai_preference",
            """{"input":{"messages":[{"role":"user","content":"Cold?"}],"tools":[],"parallel_tool_calls":true},"preferred_output":[{"role":"assistant","content":"Yes, 2 degrees."}],"non_preferred_output":[{"role":"assistant","content":"Maybe."}]}""",
            """{"input":{"messages":[{"role":"user","content":"Cold?"}],"tools":[]},"preferred_output":[{"role":"assistant","content":"Yes, 2 degrees."}],"non_preferred_output":[{"role":"assistant","content":"Maybe."}]}"""
        },
        {
            "chosen_rejected",
            """{"prompt":"Cold?","chosen":"Yes.","rejected":"Maybe.","score":0.5}""",
            """{"input":{"messages":[{"role":"user","content":"Cold?"}]},"preferred_output":[{"role":"assistant","content":"Yes."}],"non_preferred_output":[{"role":"assistant","content":"Maybe."}]}"""
        },
        {
            "chosen_rejected",
            """{"prompt":"Cold?","chosen":[{"role":"user","content":"Cold?"},{"role":"assistant","content":"Yes."}],"rejected":[{"role":"user","content":"Cold?"},{"role":"assistant","content":"Maybe."}],"messages":[]}""",
            """{"input":{"messages":[{"role":"user","content":"Cold?"}]},"preferred_output":[{"role":"assistant","content":"Yes."}],"non_preferred_output":[{"role":"assistant","content":"Maybe."}]}"""
        },
        { "kto", """{"prompt":"Cold?","completion":"Yes.","label":true}""", """{"prompt":"Cold?","completion":"Yes.","label":true}""" },
        { "kto", """{"prompt":"Cold?","completion":"Yes.","label":"False"}""", """{"prompt":"Cold?","completion":"Yes.","label":false}""" },
        { "kto", """{"prompt":"Cold?","completion":"Yes.","label":1}""", """{"prompt":"Cold?","completion":"Yes.","label":true}""" },
        { "labelled_text", """{"label":"card","text":"Where is my card?","n":1}""", """{"text":"Where is my card?","label":"card"}""" },
        { "labelled_text", """{"text":"good","label":1}""", """{"text":"good","label":1}""" },
        { "labelled_text", """{"text":"good","label":false}""", """{"text":"good","label":false}""" },
        { "token_labels", """{"tokens":["EU","rejects"],"ner_tags":["B-ORG","O"]}""", """{"tokens":["EU","rejects"],"ner_tags":["B-ORG","O"]}""" },
        { "token_labels", """{"tokens":["EU","rejects"],"ner_tags":[3,0],"id":"0"}""", """{"tokens":["EU","rejects"],"ner_tags":[3,0]}""" },
        { "token_labels", """{"tokens":"EU  rejects","ner_tags":"B-ORG O"}""", """{"tokens":["EU","rejects"],"ner_tags":["B-ORG","O"]}""" },
        { "sentence_pairs", """{"anchor":"a","positive":"b","score":1}""", """{"anchor":"a","positive":"b"}""" },
        { "sentence_pairs", """{"anchor":"a","positive":"b","negative":"c"}""", """{"anchor":"a","positive":"b","negative":"c"}""" },
        { "parallel_text", """{"target":"嗨。","source":"Hi."}""", """{"source":"Hi.","target":"嗨。"}""" },
        { "plain_text", """{"title":"t","text":"body"}""", """{"text":"body"}""" },
    };

    /// <summary>Row, fault, field. The columns are those of a row without faults.</summary>
    public static TheoryData<string, string, string> Hostile => new()
    {
        { """{"messages":null}""", "missing", "messages" },
        { """{"messages":[]}""", "empty", "messages" },
        { """{"messages":"hello"}""", "wrong_type", "messages" },
        { """{"messages":"[{\"role\":"}""", "wrong_type", "messages" },
        { """{"messages":{"role":"user","content":"x"}}""", "wrong_type", "messages" },
        { """{"messages":5}""", "wrong_type", "messages" },
        { """{"messages":["hello"]}""", "wrong_type", "messages[0]" },
        { """{"messages":[{"content":"x"}]}""", "missing", "messages[0].role" },
        { """{"messages":[{"role":null,"content":"x"}]}""", "missing", "messages[0].role" },
        { """{"messages":[{"role":1,"content":"x"}]}""", "wrong_type", "messages[0].role" },
        { """{"messages":[{"role":"User","content":"x"}]}""", "unknown_role", "messages[0].role" },
        { """{"messages":[{"role":"user","content":"x"},{"role":"narrator","content":"y"}]}""", "unknown_role", "messages[1].role" },
        { """{"messages":[{"role":"user"},{"role":"assistant","content":"y"}]}""", "missing", "messages[0].content" },
        { """{"messages":[{"role":"user","content":" \n"},{"role":"assistant","content":"y"}]}""", "empty", "messages[0].content" },
        { """{"messages":[{"role":"user","content":7},{"role":"assistant","content":"y"}]}""", "wrong_type", "messages[0].content" },
        { """{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]},{"role":"assistant","content":"y"}]}""", "wrong_type", "messages[0].content[0]" },
        { """{"messages":[{"role":"user","content":[{"type":"text"}]},{"role":"assistant","content":"y"}]}""", "missing", "messages[0].content[0].text" },
        { """{"messages":[{"role":"user","content":"x"}]}""", "bad_order", "messages[0].role" },
        { """{"messages":[{"role":"system","content":"x"}]}""", "bad_order", "messages[0].role" },
        { """{"messages":[{"role":"assistant","content":"x"}]}""", "bad_order", "messages[0].role" },
        { """{"messages":[{"role":"user","content":"x"},{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}""", "bad_order", "messages[1].role" },
        { """{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"},{"role":"assistant","content":"y"}]}""", "bad_order", "messages[2].role" },
        { """{"messages":[{"role":"user","content":"x"},{"role":"system","content":"y"},{"role":"assistant","content":"y"}]}""", "bad_order", "messages[1].role" },
        { """{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"},{"role":"tool","tool_call_id":"c","content":"z"}]}""", "bad_order", "messages[2].role" },
        { """{"messages":[{"role":"user","content":"x"},{"role":"tool","content":"z"}]}""", "missing", "messages[1].tool_call_id" },
        { """{"messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[]}]}""", "empty", "messages[1].tool_calls" },
        { """{"messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"c"}]}]}""", "wrong_type", "messages[1].tool_calls[0].function" },
        { """{"messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":{}}}]}]}""", "wrong_type", "messages[1].tool_calls[0].function.arguments" },
        { """{"messages":[{"role":"user","content":"x","tool_calls":[1]}]}""", "wrong_type", "messages[0].tool_calls" },
        { """{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y","weight":2}]}""", "wrong_type", "messages[1].weight" },
        { """{"messages":[{"role":"user","content":"x","weight":1},{"role":"assistant","content":"y"}]}""", "wrong_type", "messages[0].weight" },
        { """{"conversations":[{"from":"gpt","value":"x"},{"from":"human","value":"y"}]}""", "bad_order", "conversations[0].from" },
        { """{"conversations":[{"from":"human","value":"x"},{"from":"gpt"}]}""", "missing", "conversations[1].value" },
        { """{"conversations":[{"from":"function_call","value":"x"}]}""", "unknown_role", "conversations[0].from" },
        { """{"instruction":"x","input":"y","output":null}""", "missing", "output" },
        { """{"instruction":"","input":"y","output":"z"}""", "empty", "instruction" },
        { """{"instruction":"x","input":["y"],"output":"z"}""", "wrong_type", "input" },
        { """{"instruction":"x","output":12}""", "wrong_type", "output" },
        { """{"prompt":"x","completion":""}""", "empty", "completion" },
        { """{"prompt":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}],"completion":"z"}""", "bad_order", "prompt[1].role" },
        { """{"prompt":"x","completion":[{"role":"user","content":"y"}]}""", "bad_order", "messages[1].role" },
        { """{"input":[],"preferred_output":[],"non_preferred_output":[]}""", "wrong_type", "input" },
        { """{"input":{},"preferred_output":[],"non_preferred_output":[]}""", "missing", "input.messages" },
        { """{"input":{"messages":[]},"preferred_output":[],"non_preferred_output":[]}""", "empty", "input.messages" },
        { """{"input":{"messages":[{"role":"user","content":"x"}],"tools":1},"preferred_output":[],"non_preferred_output":[]}""", "wrong_type", "input.tools" },
        { """{"input":{"messages":[{"role":"user","content":"x"}]},"preferred_output":[],"non_preferred_output":[]}""", "empty", "preferred_output" },
        { """{"input":{"messages":[{"role":"user","content":"x"}]},"preferred_output":[{"role":"user","content":"y"}],"non_preferred_output":[{"role":"assistant","content":"z"}]}""", "bad_order", "preferred_output[0].role" },
        { """{"input":{"messages":[{"role":"user","content":"x"}]},"preferred_output":[{"role":"assistant","content":"y"}],"non_preferred_output":[{"role":"assistant","content":"y"}]}""", "equal", "non_preferred_output" },
        { """{"input":{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"x"}]},"preferred_output":[{"role":"assistant","content":"y"}],"non_preferred_output":[{"role":"assistant","content":"z"}]}""", "bad_order", "input.messages[1].role" },
        { """{"prompt":"x","chosen":"y","rejected":"y"}""", "equal", "rejected" },
        { """{"prompt":"x","chosen":"y","rejected":null}""", "missing", "rejected" },
        { """{"prompt":"x","chosen":[{"role":"user","content":"other"},{"role":"assistant","content":"y"}],"rejected":"z"}""", "wrong_length", "chosen" },
        { """{"prompt":"x","completion":"y","label":"good"}""", "wrong_type", "label" },
        { """{"prompt":"x","completion":"y","label":2}""", "wrong_type", "label" },
        { """{"prompt":"x","completion":"y","label":null}""", "missing", "label" },
        { """{"text":"x","label":0.5}""", "wrong_type", "label" },
        { """{"text":"x","label":["a"]}""", "wrong_type", "label" },
        { """{"text":"x","label":""}""", "empty", "label" },
        { """{"text":null,"label":"a"}""", "missing", "text" },
        { """{"tokens":["a","b"],"ner_tags":["O"]}""", "wrong_length", "ner_tags" },
        { """{"tokens":["a",1],"ner_tags":["O","O"]}""", "wrong_type", "tokens[1]" },
        { """{"tokens":["a","b"],"ner_tags":[0,"O"]}""", "wrong_type", "ner_tags[1]" },
        { """{"tokens":["a"],"ner_tags":[-1]}""", "wrong_type", "ner_tags[0]" },
        { """{"tokens":[],"ner_tags":[]}""", "empty", "tokens" },
        { """{"tokens":"['a', 'b']","ner_tags":"['O', 'O']"}""", "wrong_type", "tokens" },
        { """{"anchor":"a","positive":" "}""", "empty", "positive" },
        { """{"anchor":"a","positive":"b","negative":null}""", "missing", "negative" },
        { """{"source":"a","target":3}""", "wrong_type", "target" },
        { """{"text":""}""", "empty", "text" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_row_becomes_what_a_training_reads_and_stays_so(string shape, string row, string after)
    {
        var (word, once) = Convert(row);
        var (_, twice) = Convert(once);

        Assert.Equal((shape, after, after), (word, once, twice));
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    public void A_hostile_row_is_refused_by_fault_and_field(string row, string code, string field)
    {
        var fault = Assert.Throws<ShapeException>(() => Convert(row));

        Assert.Equal((code, field), (fault.Code, fault.Field));
        Assert.EndsWith(".", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_shape_has_rows_here_and_converts_to_a_shape_for_the_same_kinds()
    {
        Assert.Equal(TrainingShapes.All.Select(s => s.Word).Order(), Rows.Select(r => (string)((ITheoryDataRow)r).GetData()[0]!).Distinct().Order());
        foreach (var shape in TrainingShapes.All)
        {
            var before = new RowSchema([.. shape.Needs.Select(name => new RowColumn(name, ColumnType.Text))]);

            Assert.Equal(shape.Kinds, TrainingShapes.Recognise(shape.Target(before))?.Kinds);
        }
    }

    [Fact]
    public void Labels_of_several_types_become_texts()
    {
        var schema = new RowSchema([new("text", ColumnType.Text), new("label", ColumnType.Json)]);
        var shape = TrainingShapes.Recognise(schema)!;

        Assert.Equal(ColumnType.Text, shape.Target(schema).Columns[1].Type);
        Assert.Equal(["3", "true", "card"], new[] { "3", "true", "\"card\"" }.Select(label => shape.Convert(new ShapeRow(schema, ["x", new RawJson(label)]))[1]));
    }

    /// <summary>The shape of a row alone in its data set, and the row after the conversion.</summary>
    private static (string Shape, string After) Convert(string row)
    {
        var fields = JsonDocument.Parse(row).RootElement.EnumerateObject().Select(p => (p.Name, Value: RowJson.Value(p.Value))).ToList();
        var columns = new SchemaBuilder();
        fields.ForEach(f => columns.See(f.Name, f.Value));
        var schema = columns.Build();
        var shape = TrainingShapes.Recognise(schema)!;
        var values = shape.Convert(new ShapeRow(schema, [.. fields.Select(f => f.Value)]));
        return (shape.Word, Encoding.UTF8.GetString(RowPages.Json(shape.Target(schema), values).Span));
    }
}
