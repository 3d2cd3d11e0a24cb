using static TorchSharp.torch;

namespace TorchQuant;

public static partial class quantization
{
    /// <summary>Static quantization, last step: a copy of the prepared and calibrated model (or, with <paramref name="inplace"/>, the model itself) in which int8 modules compute.</summary>
    /// <remarks>
    /// <para>Every module that has one scale for its output must have been called exactly once in each forward pass that called it. A module that was called never, or more than once, is refused.</para>
    /// <para>Max, average and adaptive average pooling that <c>prepare</c> gave a qconfig keeps scale and zero point, needs no observer, and is replaced for speed: the codes are libtorch's. A module in a field that can hold
    /// no other type (declared <c>MaxPool2d</c>), and pooling by functions, goes on as libtorch's.</para>
    /// <para>At the end the converted model runs once, without gradients, on the first input that the prepared model was called with. So <c>x + y</c> on int8 tensors, a float layer between int8 ones or a missing
    /// stub is an error here, which names the place and the mend, and not in production. There is no such check where the prepared model was run by <c>forward</c> instead of <c>call</c>, or takes
    /// other arguments than one to three tensors. One mistake ends the process, here as in production: TorchSharp's <c>x.matmul(y)</c> of int8 tensors; use
    /// <see cref="FloatFunctional.matmul"/>.</para>
    /// </remarks>
    /// <typeparam name="T">The model's type.</typeparam>
    /// <param name="model">What <see cref="prepare{T}(T, bool, StaticModuleMapping?, CustomModuleMapping?, bool)"/> gave, after it ran on data.</param>
    /// <param name="mapping">What becomes of which module; <see cref="StaticModuleMapping.Default"/> if null.</param>
    /// <param name="inplace">Whether to change and return the model itself; what is replaced there is not disposed.</param>
    /// <param name="remove_qconfig">Whether the modules of the converted model lose their qconfig.</param>
    /// <param name="is_reference">Whether modules with an output scale compute in float with the int8 weights, for checking: see <see cref="Modules.ReferenceModule"/>.</param>
    /// <param name="custom_mapping">What becomes of custom modules; <see cref="CustomModuleMapping.Default"/> if null.</param>
    /// <param name="allow_reuse">Whether modules may have been called more than once in one forward pass: their one scale then serves all calls. For layers that are shared on purpose.</param>
    /// <param name="allow_unfused">Whether a batch norm may directly follow a convolution or Linear without being fused with it.</param>
    /// <param name="check">Whether to run the converted model once.</param>
    /// <returns>The int8 model, in eval mode.</returns>
    /// <exception cref="ArgumentException">The model is not prepared, is converted already, or has not run on data.</exception>
    /// <exception cref="ModuleReplacementException">Something cannot be converted (a module that was called zero or two times, a qconfig set after prepare, an unfused batch norm ...): all of it is listed with
    /// the mends, and the model is unchanged.</exception>
    /// <exception cref="ConvertedModelException">The converted model cannot compute; the model is unchanged.</exception>
    public static T convert<T>(
        T model, StaticModuleMapping? mapping = null, bool inplace = false, bool remove_qconfig = true, bool is_reference = false, CustomModuleMapping? custom_mapping = null,
        bool allow_reuse = false, bool allow_unfused = false, bool check = true) where T : nn.Module
    {
        ArgumentNullException.ThrowIfNull(model);
        var target = inplace ? model : ModuleTree.Copy(model);
        try
        {
            var options = new ConversionOptions(mapping ?? StaticModuleMapping.Default, custom_mapping ?? CustomModuleMapping.Default, is_reference, allow_reuse, allow_unfused);
            var replaced = new StaticConverter(target, options).Apply(check, remove_qconfig);
            if (!inplace)
                ReplacedModules.Dispose(replaced, target, model);
            return target;
        }
        catch
        {
            if (!inplace)
                target.Dispose();
            throw;
        }
    }
}
