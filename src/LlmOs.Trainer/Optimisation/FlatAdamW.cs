using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LlmOs.Tools.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace LlmOs.Trainer.Optimisation;

/// <summary>
/// AdamW (arXiv:1711.05101) over one flat buffer: all weights of a module are views into it, all gradients into a second one,
/// so clipping, the update and clearing the gradients are two passes over memory. In bf16 the weights and gradients that torch
/// sees are bf16, while master weights, moments and the sum of the micro-batches' gradients stay f32.
/// </summary>
/// <remarks>The numbers do not depend on the number of threads: sums are taken in blocks of fixed size, in order.</remarks>
internal sealed unsafe class FlatAdamW : IDisposable
{
    /// <summary>Elements; each weight starts at a multiple, so that no vector spans two.</summary>
    private const int Alignment = 64;

    /// <summary>Elements a thread takes at once.</summary>
    private const int Block = 1 << 16;

    private readonly AdamWOptions _options;
    private readonly ParallelOptions _parallel;
    private readonly int _length;
    private readonly bool _narrow;
    private readonly Tensor _flat;     // f32 or bf16
    private readonly Tensor _flatGrad; // as _flat
    private readonly List<Tensor> _views = [];
    private readonly List<Work> _work = [];
    private readonly float[] _first;
    private readonly float[] _second;
    private readonly float* _weights;  // f32: _flat itself in f32, _masters in bf16
    private readonly float* _gradient; // f32: _flatGrad itself in f32, _gradients in bf16
    private readonly float[] _masters = [];
    private readonly float[] _gradients = [];

    /// <param name="module">In f32; its weights are moved into the flat buffer, in <paramref name="type"/>.</param>
    /// <param name="type">f32 or bf16.</param>
    /// <param name="decays">Which weights the decay applies to, by name.</param>
    public FlatAdamW(nn.Module module, ScalarType type, AdamWOptions options, Func<string, bool> decays, int threads)
    {
        _options = options;
        _parallel = new ParallelOptions { MaxDegreeOfParallelism = threads };
        _narrow = type == ScalarType.BFloat16;
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();

        var slots = new List<WeightSlot>();
        foreach (var (name, parameter) in module.named_parameters())
        {
            var elements = checked((int)parameter.numel());
            slots.Add(new WeightSlot(name, parameter.shape, _length, elements, decays(name)));
            _length = checked(_length + ((elements + Alignment - 1) / Alignment * Alignment));
        }

        Slots = slots;
        _first = GC.AllocateArray<float>(_length, pinned: true);
        _second = GC.AllocateArray<float>(_length, pinned: true);
        _flat = zeros(_length, dtype: type).DetachFromDisposeScope();
        _flatGrad = zeros(_length, dtype: type).DetachFromDisposeScope();
        if (_narrow)
        {
            _masters = GC.AllocateArray<float>(_length, pinned: true);
            _gradients = GC.AllocateArray<float>(_length, pinned: true);
            _weights = Address(_masters);
            _gradient = Address(_gradients);
        }
        else
        {
            _weights = (float*)Address(_flat);
            _gradient = (float*)Address(_flatGrad);
        }

        foreach (var slot in slots)
        {
            for (var done = 0; done < slot.Elements; done += Block)
            {
                _work.Add(new Work(slot.Offset + done, Math.Min(Block, slot.Elements - done), slot.Decays));
            }
        }

        MoveWeights(module, type);
    }

    /// <summary>The weights in the order of the module.</summary>
    public IReadOnlyList<WeightSlot> Slots { get; }

    /// <summary>Updates taken so far: the n of the bias correction.</summary>
    public long Updates { get; set; }

    /// <summary>Master weights, f32.</summary>
    public Span<float> Weights(WeightSlot slot) => new(_weights + slot.Offset, slot.Elements);

    /// <summary>First moments, f32.</summary>
    public Span<float> First(WeightSlot slot) => _first.AsSpan(slot.Offset, slot.Elements);

    /// <summary>Second moments, f32.</summary>
    public Span<float> Second(WeightSlot slot) => _second.AsSpan(slot.Offset, slot.Elements);

    /// <summary>The sum of the gradients since the last update, f32; after <see cref="Collect"/>.</summary>
    public ReadOnlySpan<float> Gradient(WeightSlot slot) => new(_gradient + slot.Offset, slot.Elements);

    /// <summary>Writes changed master weights through to what torch computes with.</summary>
    public void Publish()
    {
        if (_narrow)
        {
            var narrow = (ushort*)Address(_flat);
            ForEach(work => Narrow(_weights + work.Start, narrow + work.Start, work.Elements));
        }
    }

    /// <summary>Adds a micro-batch's gradient to the f32 sum; call after each backward pass.</summary>
    public void Collect()
    {
        if (_narrow)
        {
            var narrow = (ushort*)Address(_flatGrad);
            ForEach(work => AddAndClear(narrow + work.Start, _gradient + work.Start, work.Elements));
        }
    }

    /// <summary>L2 norm of the whole gradient.</summary>
    public double GradientNorm()
    {
        var sums = new double[_work.Count];
        Parallel.For(0, _work.Count, _parallel, i => sums[i] = SumOfSquares(_gradient + _work[i].Start, _work[i].Elements));
        return Math.Sqrt(sums.Sum());
    }

    /// <summary>Throws the gradient away.</summary>
    public void ClearGradient() => new Span<float>(_gradient, _length).Clear();

    /// <summary>Takes a step and clears the gradient.</summary>
    /// <param name="rate">Learning rate.</param>
    /// <param name="scale">Times the gradient: what clipping asks for.</param>
    public void Step(double rate, double scale)
    {
        Updates++;
        var step = new Update(
            (float)scale,
            (float)_options.Beta1,
            (float)_options.Beta2,
            (float)(rate / (1 - Math.Pow(_options.Beta1, Updates))),
            (float)(1 / Math.Sqrt(1 - Math.Pow(_options.Beta2, Updates))),
            (float)_options.Epsilon);
        var decay = (float)(1 - (rate * _options.WeightDecay));
        var first = Address(_first);
        var second = Address(_second);
        var narrow = _narrow ? (ushort*)Address(_flat) : null;
        ForEach(work =>
        {
            Apply(work, step, work.Decays ? decay : 1, first, second);
            if (_narrow)
            {
                Narrow(_weights + work.Start, narrow + work.Start, work.Elements);
            }
        });
    }

    public void Dispose()
    {
        _views.ForEach(v => v.Dispose());
        _flat.Dispose();
        _flatGrad.Dispose();
    }

    private void MoveWeights(nn.Module module, ScalarType type)
    {
        var bySlot = Slots.ToDictionary(s => s.Name);
        foreach (var (name, parameter) in module.named_parameters())
        {
            parameter.detach().reshape(-1).contiguous().data<float>().CopyTo(Weights(bySlot[name]));
        }

        if (_narrow)
        {
            module.to(type);
        }

        // The module's weights are new objects after a change of type, so they are looked up once more.
        foreach (var (name, parameter) in module.named_parameters())
        {
            var slot = bySlot[name];
            parameter.set_(_flat.narrow(0, slot.Offset, slot.Elements).view(slot.Shape));
            var gradient = _flatGrad.narrow(0, slot.Offset, slot.Elements).view(slot.Shape).DetachFromDisposeScope();
            parameter.grad = gradient;
            _views.Add(gradient);
        }

        Publish();
    }

    private void ForEach(Action<Work> act) => Parallel.For(0, _work.Count, _parallel, i => act(_work[i]));

    private void Apply(Work work, Update step, float decay, float* first, float* second)
    {
        var (scale, beta1, beta2) = (step.Scale, step.Beta1, step.Beta2);
        var end = work.Start + work.Elements;
        var i = work.Start;
        for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
        {
            var g = Vector.Load(_gradient + i) * scale;
            var m = (Vector.Load(first + i) * beta1) + (g * (1 - beta1));
            var v = (Vector.Load(second + i) * beta2) + (g * g * (1 - beta2));
            var w = (Vector.Load(_weights + i) * decay) - (m * step.Rate / ((Vector.SquareRoot(v) * step.RootScale) + new Vector<float>(step.Epsilon)));
            m.Store(first + i);
            v.Store(second + i);
            w.Store(_weights + i);
            Vector<float>.Zero.Store(_gradient + i);
        }

        for (; i < end; i++)
        {
            var g = _gradient[i] * scale;
            first[i] = (first[i] * beta1) + (g * (1 - beta1));
            second[i] = (second[i] * beta2) + (g * g * (1 - beta2));
            _weights[i] = (_weights[i] * decay) - (first[i] * step.Rate / ((MathF.Sqrt(second[i]) * step.RootScale) + step.Epsilon));
            _gradient[i] = 0;
        }
    }

    private static double SumOfSquares(float* values, int count)
    {
        var sum = 0.0;
        const int Stretch = 4096; // f32 lanes are added up over a short stretch only
        for (var start = 0; start < count; start += Stretch)
        {
            var end = Math.Min(count, start + Stretch);
            var lanes = Vector<float>.Zero;
            var i = start;
            for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
            {
                var x = Vector.Load(values + i);
                lanes += x * x;
            }

            sum += Vector.Sum(lanes);
            for (; i < end; i++)
            {
                sum += values[i] * values[i];
            }
        }

        return sum;
    }

    /// <summary>bf16 to f32 is a shift; adding keeps the sum exact to f32.</summary>
    private static void AddAndClear(ushort* narrow, float* sum, int count)
    {
        var i = 0;
        for (; i <= count - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(Vector.Load(narrow + i), out var low, out var high);
            (Vector.Load(sum + i) + Vector.AsVectorSingle(low << 16)).Store(sum + i);
            (Vector.Load(sum + i + Vector<float>.Count) + Vector.AsVectorSingle(high << 16)).Store(sum + i + Vector<float>.Count);
            Vector<ushort>.Zero.Store(narrow + i);
        }

        for (; i < count; i++)
        {
            sum[i] += BitConverter.UInt32BitsToSingle((uint)narrow[i] << 16);
            narrow[i] = 0;
        }
    }

    /// <summary>f32 to bf16, to nearest with ties to even.</summary>
    private static void Narrow(float* wide, ushort* narrow, int count)
    {
        var i = 0;
        for (; i <= count - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Narrow(Round(Vector.Load(wide + i)), Round(Vector.Load(wide + i + Vector<float>.Count))).Store(narrow + i);
        }

        for (; i < count; i++)
        {
            var bits = BitConverter.SingleToUInt32Bits(wide[i]);
            narrow[i] = (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
        }

        static Vector<uint> Round(Vector<float> value)
        {
            var bits = Vector.AsVectorUInt32(value);
            return (bits + new Vector<uint>(0x7FFF) + ((bits >>> 16) & Vector<uint>.One)) >>> 16;
        }
    }

    /// <summary>Torch's memory does not move, nor does a pinned array: the address stays good as long as the object.</summary>
    private static byte* Address(Tensor tensor) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));

    private static float* Address(float[] pinned) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));

    private readonly record struct Work(int Start, int Elements, bool Decays);

    private readonly record struct Update(float Scale, float Beta1, float Beta2, float Rate, float RootScale, float Epsilon);
}

/// <summary>A weight's place in the flat buffers.</summary>
internal sealed record WeightSlot(string Name, long[] Shape, int Offset, int Elements, bool Decays);
