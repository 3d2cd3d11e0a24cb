using System.Reflection;
using System.Runtime.CompilerServices;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Every private member of TorchSharp that replacing and copying modules and reading tensors needs, in one place, checked once at first use.
/// Supported: TorchSharp [0.107.0, 0.108).
/// </summary>
internal static class TorchSharpPrivates
{
    private const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private const string NativeMethods = "TorchSharp.PInvoke.NativeMethods", TensorData = "THSTensor_data";

    private static readonly Func<nint, nint> s_tensorData;

    private static readonly (Type Type, string Field, Type FieldType)[] s_needed =
    [
        (typeof(nn.Module), "_internal_submodules", typeof(OrderedDict<string, nn.Module>)),
        (typeof(nn.Module), "_internal_params", typeof(OrderedDict<string, Parameter>)),
        (typeof(nn.Module), "_internal_buffers", typeof(OrderedDict<string, (Tensor, bool)>)),
        (typeof(nn.Module), "handle", typeof(object)),
        (typeof(nn.Module), "boxedModule", typeof(object)),
        (typeof(nn.Module), "_forwardNative", typeof(object)),
        (typeof(nn.HookableModule<,>), "pre_hooks", typeof(object)),
        (typeof(nn.HookableModule<,>), "post_hooks", typeof(object)),
        (typeof(Sequential), "_modules", typeof(List<nn.IModule<Tensor, Tensor>>)),
        (typeof(Sequential), "_names", typeof(List<string>)),
        .. from type in new[] { typeof(LSTM), typeof(GRU), typeof(RNN) }
           from field in new[] { ("_hidden_size", typeof(long)), ("_num_layers", typeof(long)), ("_bidirectional", typeof(bool)), ("_batch_first", typeof(bool)) }
           select (type, field.Item1, field.Item2),
    ];

    static TorchSharpPrivates()
    {
        Check(typeof(torch).Assembly.GetName().Version ?? new Version(), s_needed);
        // Looked up in the assembly at hand: hosts that load assemblies themselves, such as csharprepl, do not find it by its name.
        var method = typeof(torch).Assembly.GetType(NativeMethods)?.GetMethod(TensorData, BindingFlags.Static | BindingFlags.NonPublic, [typeof(nint)]);
        s_tensorData = method?.CreateDelegate<Func<nint, nint>>() ?? throw new NotSupportedException($"TorchSharp has no {TensorData}; TorchQuant supports TorchSharp [0.107.0, 0.108).");
    }

    /// <summary>Runs the self-test now: a version of TorchSharp that does not fit is an error before anything is touched.</summary>
    public static void EnsureSupported()
    {
        try
        {
            RuntimeHelpers.RunClassConstructor(typeof(TorchSharpPrivates).TypeHandle);
        }
        catch (TypeInitializationException e) when (e.InnerException is NotSupportedException reason)
        {
            throw new NotSupportedException(reason.Message, e);
        }
    }

    /// <summary>The test itself, on any version and list of fields.</summary>
    internal static void Check(Version version, IEnumerable<(Type Type, string Field, Type FieldType)> needed)
    {
        var missing = needed
            .Where(n => n.Type.GetField(n.Field, Declared) is not { } field || !(n.FieldType == typeof(object) || field.FieldType == n.FieldType))
            .Select(n => $"{n.Type.Name}.{n.Field}")
            .ToList();
        if (version < new Version(0, 107) || version >= new Version(0, 108) || missing.Count > 0)
            throw new NotSupportedException(
                $"TorchSharp {version.ToString(3)} was found; replacing and copying modules and reading tensors needs private members of TorchSharp and supports [0.107.0, 0.108). "
                + (missing.Count > 0 ? $"Missing or changed there: {string.Join(", ", missing)}. " : "")
                + "Reference TorchSharp 0.107 or a version of TorchQuant made for yours.");
    }

    /// <summary>The field of that name declared by that very type.</summary>
    public static FieldInfo Field(Type type, string name)
        => type.GetField(name, Declared) ?? throw new MissingFieldException(type.FullName, name);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_internal_submodules")]
    public static extern ref OrderedDict<string, nn.Module> Submodules(nn.Module module);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_internal_params")]
    public static extern ref OrderedDict<string, Parameter> Parameters(nn.Module module);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_internal_buffers")]
    public static extern ref OrderedDict<string, (Tensor Tensor, bool Persistent)> Buffers(nn.Module module);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "RegisterComponents")]
    public static extern void RegisterComponents(nn.Module module);

    /// <summary>The address of a CPU tensor's first element, in whatever order the others lie; <see cref="Tensor.bytes"/> refuses tensors that are not contiguous.</summary>
    public static nint Data(Tensor tensor) => s_tensorData(tensor.Handle);

    /// <summary>Hidden size, layers, bidirectional and batch_first of an LSTM, GRU or RNN.</summary>
    public static (long HiddenSize, long Layers, bool Bidirectional, bool BatchFirst) Recurrent(nn.Module module)
    {
        var type = module.GetType();
        return ((long)Field(type, "_hidden_size").GetValue(module)!, (long)Field(type, "_num_layers").GetValue(module)!,
            (bool)Field(type, "_bidirectional").GetValue(module)!, (bool)Field(type, "_batch_first").GetValue(module)!);
    }
}
