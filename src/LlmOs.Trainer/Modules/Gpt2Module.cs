using LlmOs.Models.Zoo.Decoders;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LlmOs.Trainer.Modules;

/// <summary>
/// A trainable decoder of the GPT-2 layout ("Language Models are Unsupervised Multitask Learners", 2019, section 2.3): layer norm
/// before each half, learned positions, biases everywhere, tanh GELU, projections stored [in, out].
/// Its state dictionary has the names of Hugging Face's <c>GPT2LMHeadModel</c>, whose numbers it matches.
/// </summary>
/// <remarks>
/// Letters in shapes: B batch, T tokens, D model width, H heads, K = D / H width of a head, F feed-forward width, V vocabulary, C context.
/// Runs in the type of its weights, f32 or bf16. There is no dropout.
/// </remarks>
[Trains(typeof(Gpt2Sizes))]
internal sealed class Gpt2Module : Module<Tensor, Tensor>
{
    /// <summary>Of new weights; the two projections into the residual stream get 1 / sqrt(2 L) of it.</summary>
    private const double InitialDeviation = 0.02;

    private readonly Gpt2Body transformer;

    /// <param name="sizes">Checked by the caller.</param>
    public Gpt2Module(Gpt2Sizes sizes)
        : base(nameof(Gpt2Module))
    {
        transformer = new Gpt2Body(sizes, InitialDeviation);
        RegisterComponents();
    }

    /// <param name="input">Ids, i64 [B, T]</param>
    /// <returns>Logits in the type of the weights, [B, T, V]</returns>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return functional.linear(transformer.forward(input), transformer.Head).MoveToOuterDisposeScope(); // [B, T, V]
    }
}

/// <summary>Both embeddings, blocks and the last norm.</summary>
internal sealed class Gpt2Body : Module<Tensor, Tensor>
{
    private readonly Embedding wte; // V, D
    private readonly Embedding wpe; // C, D
    private readonly ModuleList<Gpt2Block> h;
    private readonly LayerNorm ln_f;
    private readonly CausalMasks _masks = new();

    public Gpt2Body(Gpt2Sizes sizes, double deviation)
        : base(nameof(Gpt2Body))
    {
        wte = Embedding(sizes.Vocabulary, sizes.Hidden);
        wpe = Embedding(sizes.Context, sizes.Hidden);
        using (no_grad())
        {
            init.normal_(wte.weight!, 0, deviation);
            init.normal_(wpe.weight!, 0, deviation);
        }

        h = ModuleList(Enumerable.Range(0, sizes.Layers).Select(_ => new Gpt2Block(sizes, deviation)).ToArray());
        ln_f = LayerNorm(sizes.Hidden, sizes.NormEps);
        RegisterComponents();
    }

    public Tensor Head => wte.weight!;

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var state = wte.forward(input).Plus(wpe.weight!.narrow(0, 0, input.shape[1])); // [B, T, D]
        var mask = _masks.For(input.shape[1], state.dtype);
        foreach (var block in h)
        {
            state = block.forward(state, mask);
        }

        return ln_f.forward(state).MoveToOuterDisposeScope();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _masks.Dispose();
        }

        base.Dispose(disposing);
    }
}

/// <summary>Attention and feed-forward, each behind a norm and added to what came in.</summary>
internal sealed class Gpt2Block : Module<Tensor, CausalMask, Tensor>
{
    private readonly LayerNorm ln_1;
    private readonly Gpt2Attention attn;
    private readonly LayerNorm ln_2;
    private readonly Gpt2Mlp mlp;

    public Gpt2Block(Gpt2Sizes sizes, double deviation)
        : base(nameof(Gpt2Block))
    {
        ln_1 = LayerNorm(sizes.Hidden, sizes.NormEps);
        attn = new Gpt2Attention(sizes, deviation);
        ln_2 = LayerNorm(sizes.Hidden, sizes.NormEps);
        mlp = new Gpt2Mlp(sizes, deviation);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input1, CausalMask input2)
    {
        using var scope = NewDisposeScope();
        var state = input1.Plus(attn.forward(ln_1.forward(input1), input2));
        return state.Plus(mlp.forward(ln_2.forward(state))).MoveToOuterDisposeScope();
    }
}

/// <summary>Causal self-attention; queries, keys and values come from one projection.</summary>
internal sealed class Gpt2Attention : Module<Tensor, CausalMask, Tensor>
{
    private readonly InOutLinear c_attn; // D -> 3 D
    private readonly InOutLinear c_proj; // D -> D
    private readonly int _heads;

    public Gpt2Attention(Gpt2Sizes sizes, double deviation)
        : base(nameof(Gpt2Attention))
    {
        _heads = sizes.Heads;
        c_attn = new InOutLinear(sizes.Hidden, 3L * sizes.Hidden, deviation);
        c_proj = new InOutLinear(sizes.Hidden, sizes.Hidden, deviation / Math.Sqrt(2.0 * sizes.Layers));
        RegisterComponents();
    }

    /// <param name="input1">[B, T, D]</param>
    /// <param name="input2">For T tokens.</param>
    /// <returns>[B, T, D]</returns>
    public override Tensor forward(Tensor input1, CausalMask input2)
    {
        using var scope = NewDisposeScope();
        var (b, t, d) = (input1.shape[0], input1.shape[1], input1.shape[2]);
        var k = d / _heads;
        var all = c_attn.forward(input1).view(b, t, 3, _heads, k).permute(2, 0, 3, 1, 4); // [3, B, H, T, K]
        var mixed = input2.Added is { } mask
            ? matmul(functional.softmax(matmul(all[0].Times(1 / Math.Sqrt(k)), all[1].transpose(-2, -1)).Plus(mask), -1), all[2])
            : functional.scaled_dot_product_attention(all[0], all[1], all[2], is_casual: true); // [B, H, T, K]
        return c_proj.forward(mixed.transpose(1, 2).reshape(b, t, d)).MoveToOuterDisposeScope();
    }
}

/// <summary>c_proj(gelu(c_fc(x))), with the tanh form of GELU (arXiv:1606.08415).</summary>
internal sealed class Gpt2Mlp : Module<Tensor, Tensor>
{
    private readonly InOutLinear c_fc;   // D -> F
    private readonly InOutLinear c_proj; // F -> D

    public Gpt2Mlp(Gpt2Sizes sizes, double deviation)
        : base(nameof(Gpt2Mlp))
    {
        c_fc = new InOutLinear(sizes.Hidden, sizes.Intermediate, deviation);
        c_proj = new InOutLinear(sizes.Intermediate, sizes.Hidden, deviation / Math.Sqrt(2.0 * sizes.Layers));
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return c_proj.forward(functional.gelu(c_fc.forward(input), TorchSharp.Modules.GELU.Approximate.tanh)).MoveToOuterDisposeScope();
    }
}

/// <summary>A projection with bias whose matrix is stored [in, out] (transformers' Conv1D).</summary>
internal sealed class InOutLinear : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter bias;

    public InOutLinear(long from, long to, double deviation)
        : base(nameof(InOutLinear))
    {
        using var scope = NewDisposeScope();
        weight = new Parameter(randn(from, to).Times(deviation).MoveToOuterDisposeScope());
        bias = new Parameter(zeros(to).MoveToOuterDisposeScope());
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return functional.linear(input, weight.t(), bias).MoveToOuterDisposeScope();
    }
}
