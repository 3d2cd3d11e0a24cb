using System.Runtime.CompilerServices;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Recurrent;

/// <summary>The archives of Oracles/recurrent.py: libtorch's own dynamically quantized recurrent modules. An error inside an archive ends the process, so
/// what is passed follows the script's signatures.</summary>
internal static class RecurrentOracle
{
    public static jit.ScriptModule Load(string name, [CallerFilePath] string source = "") =>
        jit.load(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "Oracles", name));

    /// <summary>Gives the module the float weights that stand beside the quantized model in the archive.</summary>
    public static T WithWeightsOf<T>(this T module, jit.ScriptModule archive) where T : nn.Module
    {
        module.load_state_dict(archive.state_dict());
        return module;
    }

    /// <summary>The outputs in a row, as the archives give them.</summary>
    public static Tensor Flat(params Tensor[] outputs) => cat([.. outputs.Select(output => output.flatten())]);

    /// <summary>The float weights of a module in the order that recurrent.pt takes: w_ih, w_hh, b_ih, b_hh of each layer and direction.</summary>
    public static Tensor[] Weights(nn.Module module, int layers, int directions)
    {
        var parameters = module.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter.detach());
        return [.. from layer in Enumerable.Range(0, layers)
                   from direction in Enumerable.Range(0, directions)
                   from name in new[] { "weight_ih", "weight_hh", "bias_ih", "bias_hh" }
                   select parameters[$"{name}_l{layer}{(direction == 1 ? "_reverse" : "")}"]];
    }

    /// <summary>The scales of the weight matrices as the default weight observer chooses them: the largest magnitude is 127.5 steps.</summary>
    public static Tensor Scales(Tensor[] weights) =>
        tensor(weights.Where(weight => weight.ndim == 2).Select(weight => weight.abs().max().item<float>() / 127.5f).ToArray());

    /// <summary>What <c>quantize_dynamic</c> puts in the place of a module of a model (a module alone is never replaced).</summary>
    public static TQuantized Converted<TField, TQuantized>(TField floats, QConfigSpec? spec = null) where TField : nn.Module where TQuantized : TField
    {
        using var model = new Holder<TField>(floats);
        var quantized = quantization.quantize_dynamic(model, spec, backend: "fbgemm");
        Assert.Same(floats, model.Inner);
        return Assert.IsType<TQuantized>(quantized.Inner);
    }

    private sealed class Holder<TField> : nn.Module where TField : nn.Module
    {
        public Holder(TField inner) : base("Holder")
        {
            Inner = inner;
            RegisterComponents();
        }

        public TField Inner;
    }
}
