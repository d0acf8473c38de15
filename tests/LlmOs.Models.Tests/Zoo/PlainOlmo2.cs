using LlmOs.Formats;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>
/// OLMo 2 written out in double precision after its paper, position by position, with nothing of the graph's or of
/// <see cref="PlainLlama"/>'s: what the graph is compared with.
/// </summary>
internal sealed class PlainOlmo2(IWeightSource weights, int layers, int heads, int kvHeads, int width, double theta, double epsilon, bool tied)
{
    /// <summary>The state before each layer and after the last norm, and the logits, of every position.</summary>
    public (List<double[][]> States, double[][] Logits) Forward(int[] ids)
    {
        var embedding = Matrix("model.embed_tokens.weight");
        var state = ids.Select(id => embedding[id].ToArray()).ToArray();
        List<double[][]> states = [];
        for (var layer = 0; layer < layers; layer++)
        {
            states.Add([.. state.Select(row => row.ToArray())]);
            var at = $"model.layers.{layer}";
            var attended = Attend(state, $"{at}.self_attn");
            state = [.. state.Zip(attended, (row, a) => Plus(row, Norm(a, $"{at}.post_attention_layernorm")))];
            state = [.. state.Select(row => Plus(row, Norm(Feed(row, $"{at}.mlp"), $"{at}.post_feedforward_layernorm")))];
        }

        var last = state.Select(row => Norm(row, "model.norm")).ToArray();
        states.Add(last);
        var head = tied ? embedding : Matrix("lm_head.weight");
        return (states, [.. last.Select(row => Times(head, row))]);
    }

    private double[][] Attend(double[][] state, string at)
    {
        var (q, k, v, o) = (Matrix($"{at}.q_proj.weight"), Matrix($"{at}.k_proj.weight"), Matrix($"{at}.v_proj.weight"), Matrix($"{at}.o_proj.weight"));
        // The norms see all heads at once, before the heads are told apart and turned.
        var queries = state.Select((row, t) => Turn(Norm(Times(q, row), $"{at}.q_norm"), t)).ToArray();
        var keys = state.Select((row, t) => Turn(Norm(Times(k, row), $"{at}.k_norm"), t)).ToArray();
        var values = state.Select(row => Times(v, row)).ToArray();
        return [.. state.Select((_, t) =>
        {
            var mixed = new double[heads * width];
            for (var h = 0; h < heads; h++)
            {
                var (own, shared) = (h * width, h / (heads / kvHeads) * width);
                var weightsOf = new double[t + 1];
                for (var s = 0; s <= t; s++)
                {
                    var product = 0.0;
                    for (var i = 0; i < width; i++)
                    {
                        product += queries[t][own + i] * keys[s][shared + i];
                    }

                    weightsOf[s] = Math.Exp(product / Math.Sqrt(width));
                }

                for (var s = 0; s <= t; s++)
                {
                    for (var i = 0; i < width; i++)
                    {
                        mixed[own + i] += weightsOf[s] / weightsOf.Sum() * values[s][shared + i];
                    }
                }
            }

            return Times(o, mixed);
        })];
    }

    private double[] Feed(double[] row, string at)
    {
        var gate = Times(Matrix($"{at}.gate_proj.weight"), row);
        var up = Times(Matrix($"{at}.up_proj.weight"), row);
        return Times(Matrix($"{at}.down_proj.weight"), [.. gate.Zip(up, (g, u) => g / (1 + Math.Exp(-g)) * u)]);
    }

    /// <summary>Each head is a row of complex numbers, the first half their real parts; each is turned by an angle of its own.</summary>
    private double[] Turn(double[] all, int position)
    {
        var turned = new double[all.Length];
        for (var i = 0; i < all.Length; i++)
        {
            var (head, at) = (i / width * width, i % width);
            var pair = at % (width / 2);
            var (sine, cosine) = Math.SinCos(position / Math.Pow(theta, 2.0 * pair / width));
            var (real, imaginary) = (all[head + pair], all[head + pair + (width / 2)]);
            turned[i] = at < width / 2 ? (real * cosine) - (imaginary * sine) : (imaginary * cosine) + (real * sine);
        }

        return turned;
    }

    private double[] Norm(double[] row, string name)
    {
        var gain = Values($"{name}.weight");
        Assert.Equal(row.Length, gain.Length);
        var root = Math.Sqrt((row.Sum(x => x * x) / row.Length) + epsilon);
        return [.. row.Select((x, i) => gain[i] * x / root)];
    }

    private static double[] Plus(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static double[] Times(double[][] matrix, double[] row) => [.. matrix.Select(line => line.Zip(row, (a, b) => a * b).Sum())];

    private double[][] Matrix(string name) => [.. Values(name).Chunk((int)weights.Find(name)!.Shape[1])];

    private double[] Values(string name)
    {
        var values = new float[weights.Find(name)!.Elements];
        weights.Read(name, 0, values);
        return Array.ConvertAll(values, value => (double)value);
    }
}
