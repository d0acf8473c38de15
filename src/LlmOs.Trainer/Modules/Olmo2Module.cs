using LlmOs.Models.Zoo.Decoders;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Trainer.Modules;

/// <summary>
/// A trainable decoder of the OLMo 2 layout (arXiv 2501.00656, section 3.2): Llama with its norms behind attention and
/// feed-forward, and one norm over all queries and one over all keys before they are turned by their positions. Its state
/// dictionary has the names of Hugging Face's <c>Olmo2ForCausalLM</c>, whose numbers it matches.
/// </summary>
/// <remarks>Letters in shapes as in <see cref="LlamaModule"/>. Runs in the type of its weights, f32 or bf16; norms' statistics are f32 in both.</remarks>
[Trains(typeof(Olmo2Sizes))]
internal sealed class Olmo2Module : Module<Tensor, Tensor>
{
    /// <summary>Of all new matrices (arXiv 2501.00656, section 3.2).</summary>
    internal const double InitialDeviation = 0.02;

    private readonly Olmo2Body model;
    private readonly LinearWeight? lm_head; // D -> V, absent when tied

    /// <param name="sizes">Checked by the caller.</param>
    public Olmo2Module(Olmo2Sizes sizes)
        : base(nameof(Olmo2Module))
    {
        model = new Olmo2Body(sizes);
        lm_head = sizes.TiedHead ? null : new LinearWeight(sizes.Hidden, sizes.Vocabulary, InitialDeviation);
        RegisterComponents();
    }

    /// <param name="input">Ids, i64 [B, T]</param>
    /// <returns>Logits in the type of the weights, [B, T, V]</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var hidden = model.forward(input); // [B, T, D]
        var logits = lm_head is null ? functional.linear(hidden, model.Head) : lm_head.forward(hidden); // [B, T, V]
        return logits.MoveToOuterDisposeScope();
    }
}

/// <summary>Embedding, blocks and the last norm.</summary>
internal sealed class Olmo2Body : Module<Tensor, Tensor>
{
    private readonly Embedding embed_tokens;
    private readonly ModuleList<Olmo2Block> layers;
    private readonly RmsNorm norm;
    private readonly RotaryTables _rotary;

    public Olmo2Body(Olmo2Sizes sizes)
        : base(nameof(Olmo2Body))
    {
        _rotary = new RotaryTables(sizes.HeadDim, sizes.Context, sizes.RopeTheta);
        embed_tokens = Embedding(sizes.Vocabulary, sizes.Hidden);
        using (no_grad())
        {
            init.normal_(embed_tokens.weight!, 0, Olmo2Module.InitialDeviation);
        }

        layers = ModuleList(Enumerable.Range(0, sizes.Layers).Select(_ => new Olmo2Block(sizes)).ToArray());
        norm = new RmsNorm(sizes.Hidden, sizes.NormEps);
        RegisterComponents();
    }

    public Tensor Head => embed_tokens.weight!;

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var state = embed_tokens.forward(input); // [B, T, D]
        var rotary = _rotary.For(input.shape[1], state.dtype);
        foreach (var layer in layers)
        {
            state = layer.forward(state, rotary);
        }

        return norm.forward(state).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _rotary.Dispose();
        }

        base.Dispose(disposing);
    }
}

/// <summary>Attention and feed-forward; what each gives is normed and added to what came in.</summary>
internal sealed class Olmo2Block : Module<Tensor, Rotary, Tensor>
{
    private readonly Olmo2Attention self_attn;
    private readonly RmsNorm post_attention_layernorm;
    private readonly LlamaMlp mlp;
    private readonly RmsNorm post_feedforward_layernorm;

    public Olmo2Block(Olmo2Sizes sizes)
        : base(nameof(Olmo2Block))
    {
        self_attn = new Olmo2Attention(sizes);
        post_attention_layernorm = new RmsNorm(sizes.Hidden, sizes.NormEps);
        mlp = new LlamaMlp(sizes, Olmo2Module.InitialDeviation);
        post_feedforward_layernorm = new RmsNorm(sizes.Hidden, sizes.NormEps);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, Rotary input2)
    {
        using var scope = NewDisposeScope();
        var state = input1.Plus(post_attention_layernorm.forward(self_attn.forward(input1, input2)));
        return state.Plus(post_feedforward_layernorm.forward(mlp.forward(state))).MoveToOuterDisposeScope();
    }
}

/// <summary>Causal grouped-query attention whose queries and keys are normed over all heads together.</summary>
internal sealed class Olmo2Attention : Module<Tensor, Rotary, Tensor>
{
    private readonly LinearWeight q_proj; // D -> H K
    private readonly LinearWeight k_proj; // D -> G K
    private readonly LinearWeight v_proj; // D -> G K
    private readonly LinearWeight o_proj; // H K -> D
    private readonly RmsNorm q_norm;      // over H K
    private readonly RmsNorm k_norm;      // over G K
    private readonly Olmo2Sizes _sizes;

    public Olmo2Attention(Olmo2Sizes sizes)
        : base(nameof(Olmo2Attention))
    {
        _sizes = sizes;
        var shared = sizes.KvHeads * sizes.HeadDim;
        q_proj = new LinearWeight(sizes.Hidden, sizes.Hidden, Olmo2Module.InitialDeviation);
        k_proj = new LinearWeight(sizes.Hidden, shared, Olmo2Module.InitialDeviation);
        v_proj = new LinearWeight(sizes.Hidden, shared, Olmo2Module.InitialDeviation);
        o_proj = new LinearWeight(sizes.Hidden, sizes.Hidden, Olmo2Module.InitialDeviation);
        q_norm = new RmsNorm(sizes.Hidden, sizes.NormEps);
        k_norm = new RmsNorm(shared, sizes.NormEps);
        RegisterComponents();
    }

    /// <param name="input1">[B, T, D]</param>
    /// <param name="input2">Tables for T positions.</param>
    /// <returns>[B, T, D]</returns>
    public override Tensor forward(Tensor input1, Rotary input2)
    {
        using var scope = NewDisposeScope();
        var (b, t) = (input1.shape[0], input1.shape[1]);
        var (g, k) = (_sizes.KvHeads, _sizes.HeadDim);
        var query = q_norm.forward(q_proj.forward(input1)).view(b, t, _sizes.Heads, k);
        var key = k_norm.forward(k_proj.forward(input1)).view(b, t, g, k);
        var value = v_proj.forward(input1).view(b, t, g, k);
        return o_proj.forward(RotaryAttention.Of(query, key, value, input2)).MoveToOuterDisposeScope();
    }
}
