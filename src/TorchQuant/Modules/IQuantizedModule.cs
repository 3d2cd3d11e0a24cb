using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A module that computes with quantized weights and takes the place of the float module of the same shape.</summary>
/// <remarks>
/// <para>Memory: a quantized module registers no parameter and no buffer. Its weights exist once, in the packed form that the kernels
/// read (managed memory, a quarter of the float weights for int8).</para>
/// <para>State: the modules override <c>named_buffers()</c>, from which TorchSharp makes <c>state_dict()</c>, <c>save</c>, <c>load</c> and
/// <c>load_state_dict</c>, also those of the models around them (<c>state_dict</c> itself is virtual too, but a Sequential asks its
/// modules for their buffers only). It unpacks the plain int8 or float16 weights, scales, zero points and biases and lends them:
/// what is written to them before the next forward, as <c>load_state_dict</c> and <c>load</c> do, is taken over by that forward, which packs
/// them again. After that forward the tensors are the caller's alone, and the unpacked copy goes with them.</para>
/// <para>Type and place: the modules compute in float32 on the CPU between their integer kernels. <c>to(dtype)</c>, <c>half()</c> and
/// <c>cuda()</c> are refused by an exception that says so; <c>to(float32)</c> and <c>cpu()</c> do nothing. <c>train()</c> and
/// <c>eval()</c> only set the flag, as nothing here depends on it.</para>
/// <para>Dispose: the packed weights are managed memory; Dispose frees the native module and the tensors that are still lent.</para>
/// </remarks>
public interface IQuantizedModule
{
    /// <summary>The stable name that files use, for example <c>DynamicQuantizedLinear</c>.</summary>
    string Kind { get; }

    /// <summary>The module's dotted path in the model it was made for; empty when it was made alone. Error messages name it.</summary>
    string Path { get; }

    /// <summary>Bytes of all tensors of <see cref="ExportState"/>: what a state_dict stores for this module.</summary>
    long WeightBytes { get; }

    /// <summary>What is needed besides the tensors to rebuild the module; values in the invariant culture.</summary>
    IReadOnlyDictionary<string, string> Options { get; }

    /// <summary>New tensors, which the caller disposes and which belong to no DisposeScope: plain int8 or float16 weights, scales, zero
    /// points and biases, named relative to the module: <c>weight</c>, <c>weight_scale</c>, <c>weight_zero_point</c>, <c>bias</c>, or
    /// <c>weight_ih_l0</c>, <c>weight_ih_l0_scale</c>, <c>weight_ih_l0_zero_point</c>, <c>bias_ih_l0</c>.</summary>
    IReadOnlyList<KeyValuePair<string, Tensor>> ExportState();
}
