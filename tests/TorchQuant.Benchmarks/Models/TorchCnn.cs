using TorchQuant.Benchmarks.Peers.Torch;
using TorchQuant.Benchmarks.Races;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Models;

/// <summary>A plan in libtorch: float and int8, float images in (channels last) and float scores out.</summary>
internal static class TorchCnn
{
    public static IContender Int8(CnnData data, int threads, string engine, byte number)
    {
        jit.ScriptModule script = TorchScriptArchive.Load(CnnScript.Attributes, CnnScript.Int8(data.Plan));
        set_num_threads(threads);
        QuantizedEngine.Set(number);
        PackWeights(script, data.Plan);
        return Contender($"libtorch int8 {engine}", Side.Int8Peer, number, data, threads, script);
    }

    public static IContender Float(CnnData data, int threads) => Contender("libtorch float", Side.FloatPeer, null, data, threads, PlainFloat(data.Plan));

    public static IContender FloatOneDnn(CnnData data, int threads)
    {
        jit.ScriptModule script = TorchScriptArchive.Load(CnnScript.Attributes, CnnScript.Float(data.Plan, oneDnn: true));
        set_num_threads(threads);
        script.invoke<Tensor>("keep", (object)Weights(data.Plan, Layout));
        return Contender("libtorch float onednn", Side.FloatPeer, null, data, threads, script);

        Tensor Layout(Tensor weights, CnnStep step)
        {
            if (step is not ConvStep conv)
                return weights;
            int size = data.Plan.SizeOf(conv.Input);
            using Tensor like = ChannelsLast(zeros(data.Batch, weights.shape[1] * conv.Groups, size, size));
            return script.invoke<Tensor>("reorder_conv", ChannelsLast(weights), conv.Stride, conv.Padding, conv.Groups, like);
        }
    }

    /// <summary>The scores in float, which the others are compared with.</summary>
    public static float[] FloatScores(CnnData data)
    {
        using var scope = NewDisposeScope();
        using jit.ScriptModule script = PlainFloat(data.Plan);
        return script.invoke<Tensor>("forward", data.ImagesChannelsLast()).contiguous().data<float>().ToArray();
    }

    public static Tensor ChannelsLast(Tensor images) => images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);

    private static void PackWeights(jit.ScriptModule script, CnnPlan plan)
    {
        using var scope = NewDisposeScope();
        script.invoke<Tensor>("start", zeros(1));
        foreach (CnnStep step in plan.Steps)
        {
            if (step is ConvStep conv)
                script.invoke<Tensor>("pack_conv", tensor(conv.Weights.Codes).reshape(conv.Weights.Shape), Scales(conv.Weights), tensor(conv.Weights.Bias), conv.Stride, conv.Padding, conv.Groups);
            else if (step is LinearStep linear)
                script.invoke<Tensor>("pack_linear", tensor(linear.Weights.Codes).reshape(linear.Weights.Shape), Scales(linear.Weights), tensor(linear.Weights.Bias));
        }
    }

    private static jit.ScriptModule PlainFloat(CnnPlan plan)
    {
        jit.ScriptModule script = TorchScriptArchive.Load(CnnScript.Attributes, CnnScript.Float(plan, oneDnn: false));
        script.invoke<Tensor>("keep", (object)Weights(plan, (weights, _) => weights.dim() == 4 ? ChannelsLast(weights) : weights));
        return script;
    }

    private static TorchContender Contender(string name, Side side, byte? engine, CnnData data, int threads, jit.ScriptModule script)
    {
        Tensor images = data.ImagesChannelsLast();
        return new TorchContender(name, side, engine, threads, script, (m, n) => m.invoke("run", images, n), (who, m) =>
        {
            using var scope = NewDisposeScope();
            return Scores.Check(who, side, data.Expected, ((Tensor[])m.invoke("run", images, 2))[1].contiguous().data<float>().ToArray());
        });
    }

    private static Tensor Scales(LayerWeights weights) => tensor(Array.ConvertAll(weights.Scales, s => (double)s));

    /// <summary>Weight and bias of each layer, one after the other.</summary>
    private static Tensor[] Weights(CnnPlan plan, Func<Tensor, CnnStep, Tensor> layout) =>
    [
        .. plan.Steps.SelectMany(step => (step as ConvStep)?.Weights is { } conv ? Layer(conv, step, layout) : (step as LinearStep)?.Weights is { } linear ? Layer(linear, step, layout) : []),
    ];

    private static Tensor[] Layer(LayerWeights weights, CnnStep step, Func<Tensor, CnnStep, Tensor> layout) => [layout(tensor(weights.Floats).reshape(weights.Shape), step), tensor(weights.Bias)];
}
