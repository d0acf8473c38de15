using LlmOs.Models.Zoo;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Trainer.Modules;

/// <summary>
/// A trainable decoder of the Llama layout ("LLaMA", arXiv:2302.13971, section 2.2; grouped-query attention, arXiv:2305.13245):
/// RMS norm before each half, rotary positions on the two halves of a head, gated SiLU feed-forward, no biases.
/// Its state dictionary has the names of Hugging Face's <c>LlamaForCausalLM</c>, whose numbers it matches.
/// </summary>
/// <remarks>
/// Letters in shapes: B batch, T tokens, D model width, H query heads, G key/value heads, K = D / H width of a head, F feed-forward width, V vocabulary.
/// Runs in the type of its weights, f32 or bf16; norms' statistics are f32 in both.
/// </remarks>
[Trains(typeof(LlamaSizes))]
internal sealed class LlamaModule : Module<Tensor, Tensor>
{
    /// <summary>Of new weights; the two projections into the residual stream get 1 / sqrt(2 L) of it.</summary>
    private const double InitialDeviation = 0.02;

    private readonly LlamaBody model;
    private readonly LinearWeight? lm_head; // D -> V, absent when tied

    /// <param name="sizes">Checked by the caller.</param>
    public LlamaModule(LlamaSizes sizes)
        : base(nameof(LlamaModule))
    {
        model = new LlamaBody(sizes, InitialDeviation);
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

/// <summary>A projection without bias; torch's own layout [out, in].</summary>
internal sealed class LinearWeight : Module<Tensor, Tensor>
{
    private readonly Parameter weight;

    public LinearWeight(long from, long to, double deviation)
        : base(nameof(LinearWeight))
    {
        using var scope = NewDisposeScope();
        weight = new Parameter(randn(to, from).Times(deviation).MoveToOuterDisposeScope());
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => functional.linear(input, weight);
}

/// <summary>Root-mean-square norm (arXiv:1910.07467); the mean is taken in f32.</summary>
internal sealed class RmsNorm : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly double _eps;

    public RmsNorm(long width, double eps)
        : base(nameof(RmsNorm))
    {
        _eps = eps;
        weight = new Parameter(ones(width));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var wide = input.to_type(ScalarType.Float32);
        var scale = rsqrt(wide.Squared().mean([-1L], keepdim: true).Plus(_eps));
        return ((wide * scale).to_type(input.dtype) * weight).MoveToOuterDisposeScope();
    }
}

/// <summary>Embedding, blocks and the last norm.</summary>
internal sealed class LlamaBody : Module<Tensor, Tensor>
{
    private readonly Embedding embed_tokens;
    private readonly ModuleList<LlamaBlock> layers;
    private readonly RmsNorm norm;
    private readonly RotaryTables _rotary;

    public LlamaBody(LlamaSizes sizes, double deviation)
        : base(nameof(LlamaBody))
    {
        _rotary = new RotaryTables(sizes.HeadDim, sizes.Context, sizes.RopeTheta);
        embed_tokens = Embedding(sizes.Vocabulary, sizes.Hidden);
        using (no_grad())
        {
            init.normal_(embed_tokens.weight!, 0, deviation);
        }

        layers = ModuleList(Enumerable.Range(0, sizes.Layers).Select(_ => new LlamaBlock(sizes, deviation)).ToArray());
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

/// <summary>Attention and feed-forward, each behind a norm and added to what came in.</summary>
internal sealed class LlamaBlock : Module<Tensor, Rotary, Tensor>
{
    private readonly RmsNorm input_layernorm;
    private readonly LlamaAttention self_attn;
    private readonly RmsNorm post_attention_layernorm;
    private readonly LlamaMlp mlp;

    public LlamaBlock(LlamaSizes sizes, double deviation)
        : base(nameof(LlamaBlock))
    {
        input_layernorm = new RmsNorm(sizes.Hidden, sizes.NormEps);
        self_attn = new LlamaAttention(sizes, deviation);
        post_attention_layernorm = new RmsNorm(sizes.Hidden, sizes.NormEps);
        mlp = new LlamaMlp(sizes, deviation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, Rotary input2)
    {
        using var scope = NewDisposeScope();
        var state = input1.Plus(self_attn.forward(input_layernorm.forward(input1), input2));
        return state.Plus(mlp.forward(post_attention_layernorm.forward(state))).MoveToOuterDisposeScope();
    }
}

/// <summary>down(silu(gate(x)) * up(x)).</summary>
internal sealed class LlamaMlp : Module<Tensor, Tensor>
{
    private readonly LinearWeight gate_proj; // D -> F
    private readonly LinearWeight up_proj;   // D -> F
    private readonly LinearWeight down_proj; // F -> D

    public LlamaMlp(DecoderSizes sizes, double deviation)
        : base(nameof(LlamaMlp))
    {
        gate_proj = new LinearWeight(sizes.Hidden, sizes.Intermediate, deviation);
        up_proj = new LinearWeight(sizes.Hidden, sizes.Intermediate, deviation);
        down_proj = new LinearWeight(sizes.Intermediate, sizes.Hidden, deviation / Math.Sqrt(2.0 * sizes.Layers));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return down_proj.forward(functional.silu(gate_proj.forward(input)) * up_proj.forward(input)).MoveToOuterDisposeScope();
    }
}
