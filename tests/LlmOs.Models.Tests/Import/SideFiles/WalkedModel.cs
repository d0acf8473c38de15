using LlmOs.Testing;

namespace LlmOs.Models.Tests.Import.SideFiles;

/// <summary>A model of the golden set with every side file that its kind is published with, and a request for each way to use it.</summary>
/// <param name="Files">Written beside the weights; those of the golden set's own configuration are added to.</param>
/// <param name="Ids">A request of token ids, which does not need a tokenizer: it works whenever the model was imported.</param>
/// <param name="Texts">Requests of texts: they work, or are refused with a reason.</param>
internal sealed record WalkedModel(
    string Golden, IReadOnlyDictionary<string, string> Files, (string Path, string Json) Ids, IReadOnlyList<(string Path, string Json)> Texts)
{
    private const string Letters = """ "a":4,"b":5,"c":6,"ab":7,"\u0120":8,"\u0120a":9,"d":10,"abc":11  """;

    private const string TokenizerJson = $$$$"""
        {"version":"1.0","truncation":null,"padding":null,
         "added_tokens":[{"id":1,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
                         {"id":2,"content":"</s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
         "normalizer":{"type":"NFC"},
         "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
         "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
                           "pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],
                           "special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}},
         "decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
         "model":{"type":"BPE","dropout":null,"unk_token":"<unk>","continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,
                  "vocab":{"<unk>":0,"<s>":1,"</s>":2,"x":3,{{{{Letters}}}} },"merges":["a b","\u0120 a","ab c"]}}
        """;

    private const string Chat = "{% for m in messages %}{{ bos_token }}{{ m.role }} {{ m.content }}{% endfor %}";

    private const string TokenizerConfig = """
        {"bos_token":"<s>","eos_token":{"__type":"AddedToken","content":"</s>","lstrip":false,"normalized":false,"rstrip":false,"single_word":false},
         "unk_token":"<unk>","model_max_length":1000000000000000019884624838656,"clean_up_tokenization_spaces":false,"tokenizer_class":"GPT2Tokenizer",
         "add_prefix_space":false,"additional_special_tokens":["<s>","</s>"],
         "added_tokens_decoder":{"0":{"content":"<unk>","lstrip":false,"normalized":false,"rstrip":false,"single_word":false,"special":true}},
         "chat_template":[{"name":"default","template":"{{ messages[0].content }}"},{"name":"tool_use","template":"{{ tools }}"}]}
        """;

    private const string SpecialTokens = """{"bos_token":"<s>","eos_token":{"content":"</s>","lstrip":false,"rstrip":false},"unk_token":"<unk>","additional_special_tokens":["<s>"]}""";

    private const string Card = "---\nlicense: mit\ntags: [a, b]\n---\n# A model\n\nIt says little.\n";

    private const string Words = """{"inputs":"a b abc","parameters":{"max_new_tokens":2}}""";

    public static IReadOnlyDictionary<string, WalkedModel> All { get; } = new Dictionary<string, WalkedModel>
    {
        ["decoder"] = new(
            "llama",
            new Dictionary<string, string>
            {
                ["tokenizer.json"] = TokenizerJson,
                ["tokenizer_config.json"] = TokenizerConfig,
                ["special_tokens_map.json"] = SpecialTokens,
                ["added_tokens.json"] = """{"<s>":1,"</s>":2}""",
                ["generation_config.json"] = """
                    {"_from_model_config":true,"bos_token_id":1,"eos_token_id":[2,3],"pad_token_id":0,"do_sample":true,"temperature":0.6,"top_p":0.9,"top_k":50,"typical_p":0.9,
                     "repetition_penalty":1.1,"suppress_tokens":[5],"begin_suppress_tokens":[6],"bad_words_ids":[[7,8]],"no_repeat_ngram_size":3,"max_length":40,"min_length":2}
                    """,
                ["chat_template.jinja"] = Chat,
                ["chat_template.json"] = """{"chat_template":"{{ messages[0].content }}"}""",
                ["additional_chat_templates/rag.jinja"] = Chat,
                ["README.md"] = Card,
                ["LICENSE"] = "Do as you like.\n",
            },
            ("/v1/completions", """{"model":"m","prompt":[5,6,7],"max_tokens":1}"""),
            [
                ("/v1/completions", """{"model":"m","prompt":"a b abc","max_tokens":1}"""),
                ("/v1/chat/completions", """{"model":"m","messages":[{"role":"user","content":"a b"}],"max_tokens":1}"""),
                ("/models/m", Words),
            ]),
        ["decoder with an older tokenizer"] = new(
            "gpt2",
            new Dictionary<string, string>
            {
                ["vocab.json"] = $$"""{"<unk>":0,"<s>":1,"</s>":2,"x":3,{{Letters}} }""",
                ["merges.txt"] = "#version: 0.2\na b\n\u0120 a\nab c\n",
                ["tokenizer_config.json"] = TokenizerConfig,
                ["special_tokens_map.json"] = SpecialTokens,
                ["added_tokens.json"] = """{"<s>":1,"<extra>":12}""",
            },
            ("/v1/completions", """{"model":"m","prompt":[5,6,7],"max_tokens":1}"""),
            [("/v1/completions", """{"model":"m","prompt":"a b abc","max_tokens":1}""")]),
        ["encoder"] = new(
            "bert",
            new Dictionary<string, string>
            {
                ["vocab.txt"] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##b\nabc\n",
                ["tokenizer_config.json"] = """{"do_lower_case":true,"tokenizer_class":"BertTokenizer","model_max_length":64,"strip_accents":null,"tokenize_chinese_chars":true}""",
                ["modules.json"] = """
                    [{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},
                     {"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"},
                     {"idx":2,"name":"2","path":"2_Normalize","type":"sentence_transformers.models.Normalize"}]
                    """,
                ["1_Pooling/config.json"] = """{"word_embedding_dimension":32,"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true,"pooling_mode_max_tokens":false}""",
                ["sentence_bert_config.json"] = """{"max_seq_length":32,"do_lower_case":false}""",
                ["config_sentence_transformers.json"] = """{"__version__":{"pytorch":"2.0"},"prompts":{"query":"a "},"default_prompt_name":"query"}""",
            },
            ("/v1/embeddings", """{"model":"m","input":[5,6]}"""),
            [("/v1/embeddings", """{"model":"m","input":"a b abc"}"""), ("/models/m", """{"inputs":"a b abc"}""")]),
        ["encoder-decoder"] = new(
            "t5",
            new Dictionary<string, string>
            {
                ["tokenizer.json"] = """
                    {"version":"1.0","added_tokens":[{"id":1,"content":"</s>","special":true}],"normalizer":null,"pre_tokenizer":{"type":"Metaspace","replacement":"\u2581","prepend_scheme":"always","split":true},
                     "post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"</s>","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}}],
                                       "special_tokens":{"</s>":{"id":"</s>","ids":[1],"tokens":["</s>"]}}},
                     "decoder":{"type":"Metaspace","replacement":"\u2581","prepend_scheme":"always","split":true},
                     "model":{"type":"Unigram","unk_id":2,"byte_fallback":false,"vocab":[["<pad>",0.0],["</s>",0.0],["<unk>",0.0],["\u2581",-2.0],["a",-2.5],["b",-3.25],["c",-4.0],["abc",-5.5]]}}
                    """,
                ["generation_config.json"] = """
                    {"decoder_start_token_id":0,"eos_token_id":1,"pad_token_id":0,"forced_eos_token_id":1,"num_beams":2,"length_penalty":0.8,"early_stopping":true,"max_length":12,"encoder_no_repeat_ngram_size":2}
                    """,
            },
            ("/v1/completions", """{"model":"m","prompt":[5,6,7],"max_tokens":1}"""),
            [("/v1/completions", """{"model":"m","prompt":"a b abc","max_tokens":1}"""), ("/models/m", Words)]),
    };

    /// <summary>Writes the model; gives the paths of its side files, config.json among them.</summary>
    public IReadOnlyList<string> Write(string folder)
    {
        var golden = Path.Combine(SharedFolder.Repository, "tests", "golden", Golden);
        Directory.CreateDirectory(folder);
        foreach (var name in new[] { "config.json", "model.safetensors" })
        {
            File.Copy(Path.Combine(golden, name), Path.Combine(folder, name));
        }

        foreach (var (path, text) in Files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, path))!);
            File.WriteAllText(Path.Combine(folder, path), text);
        }

        return ["config.json", .. Files.Keys];
    }
}
