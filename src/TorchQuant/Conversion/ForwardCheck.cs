using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>
/// Runs a converted model once on the first input that it was calibrated with. What <c>forward</c> itself does between modules cannot be seen in the model, only when it runs:
/// <c>+</c> on int8 tensors, a float layer between int8 ones, a missing stub.
/// </summary>
internal static partial class ForwardCheck
{
    private const string FloatLayer = "a layer stayed float between int8 modules: give it a qconfig before prepare, or call a DeQuantStub before it and a QuantStub after it";
    private const string FloatBetween = "it is a float operation on int8 tensors: call a DeQuantStub before it and a QuantStub after it";

    /// <summary>What to write in the place of an operation that int8 tensors do not have.</summary>
    private static readonly (string[] Operations, string Mend)[] s_mends =
    [
        (["aten::add", "aten::add_", "aten::sub", "aten::rsub", "aten::sub_"],
            "the sum of int8 tensors needs a scale of its own: declare a field FloatFunctional and write skip.add(x, y) in the place of x + y (add_relu where a ReLU follows, add_scalar for a number)"),
        (["aten::mul", "aten::mul_", "aten::div", "aten::div_"],
            "the product of int8 tensors needs a scale of its own: declare a field FloatFunctional and write scaled.mul(x, y) in the place of x * y (mul_scalar for a number)"),
        (["aten::cat", "aten::_cat", "aten::stack"], "declare a field FloatFunctional and write joined.cat([x, y], dim)"),
        (["aten::matmul", "aten::bmm", "aten::mm", "aten::addmm", "aten::linear"],
            "where it is a product of tensors, declare a field FloatFunctional and write product.matmul(x, y); where it is a Linear, "
            + "it stayed float between int8 modules: give it a qconfig before prepare, or call a DeQuantStub before it and a QuantStub after it"),
        (["aten::native_batch_norm", "aten::_native_batch_norm_legit_no_training", "aten::batch_norm", "aten::cudnn_batch_norm"],
            "a batch norm stayed float: fuse it with the layer before it by quantization.fuse_modules before prepare, or call a DeQuantStub before it and a QuantStub after it"),
        (["aten::convolution", "aten::_convolution", "aten::convolution_overrideable", "aten::_slow_conv2d_forward", "aten::thnn_conv2d"],
            FloatLayer),
    ];

    /// <summary>Runs the model; its outputs are disposed and the state of the random generator is put back.</summary>
    /// <param name="model">The converted model, in eval mode.</param>
    /// <param name="example">What it was calibrated with.</param>
    /// <exception cref="ConvertedModelException">The model cannot compute; the message names the operation, the place and the mend.</exception>
    public static void Run(nn.Module model, ExampleInput example)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var random = get_rng_state();
        try
        {
            CalibrationHooks.Call(model, example.Tensors());
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new ConvertedModelException(Message(model, e), e);
        }
        finally
        {
            set_rng_state(random);
        }
    }

    private static string Message(nn.Module model, Exception e)
    {
        var first = e.Message.ReplaceLineEndings("\n").Split('\n')[0].Trim();
        var problem = first;
        if (MissingKernel().Match(e.Message) is { Success: true } missing)
        {
            var operation = missing.Groups["operation"].Value;
            var mend = s_mends.FirstOrDefault(m => m.Operations.Contains(Overloaded().Replace(operation, ""))).Mend ?? FloatBetween;
            problem = $"{operation} does not exist for int8 tensors; {mend}";
        }
        else if (e is ExternalException && OtherWeights().IsMatch(e.Message))
        {
            problem = $"{first.TrimEnd('.')}: {FloatLayer}";
        }
        else if (e is ExternalException && NotForQuantized().IsMatch(e.Message))
        {
            problem = $"{first.TrimEnd('.')}: {FloatBetween}, or a FloatFunctional in the place of + and *";
        }
        return $"The converted model fails on the input that it was calibrated with, in {Place(model, e)}: {problem}. The model is unchanged; convert with check: false leaves this check out.";
    }

    /// <summary>The user's method that was running: the first frame outside of TorchSharp and this library.</summary>
    private static string Place(nn.Module model, Exception e)
    {
        foreach (var frame in new StackTrace(e, fNeedFileInfo: true).GetFrames())
        {
            if (frame.GetMethod() is not { DeclaringType: { } type } method || type.Assembly == typeof(nn.Module).Assembly || type.Assembly == typeof(ForwardCheck).Assembly
                || type.Namespace?.StartsWith("System", StringComparison.Ordinal) == true)
                continue;
            var line = frame.GetFileLineNumber() is > 0 and var number ? $" (line {number} of {Path.GetFileName(frame.GetFileName())})" : "";
            var paths = ModuleTree.Walk(model).Where(m => m.Module.GetType() == type && m.Path.Length > 0).Select(m => m.Path).ToList();
            return $"{Name(type, method.Name)}{(paths.Count == 0 ? "" : $" of {string.Join(" or ", paths)}")}{line}";
        }

        return $"the forward of {CSharpNames.Of(model.GetType())}";
    }

    /// <summary>Type and method as written in the source: a lambda is in the method around it.</summary>
    private static string Name(Type type, string method)
    {
        var written = type;
        while (written.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) && written.DeclaringType is { } around)
            written = around;
        var lambda = Lambda().Match(method);
        return lambda.Success ? $"a lambda in {CSharpNames.Of(written)}.{lambda.Groups["method"].Value}" : $"{CSharpNames.Of(written)}.{method}";
    }

    [GeneratedRegex(@"^<(?<method>[\w.]+)>")]
    private static partial Regex Lambda();

    [GeneratedRegex("Could not run '(?<operation>[^']+)' with arguments from the 'Quantized[A-Za-z]*' backend")]
    private static partial Regex MissingKernel();

    [GeneratedRegex("QUInt8|quint8|[Qq]uantized")]
    private static partial Regex NotForQuantized();

    [GeneratedRegex(@"Input type \(c10::quint8\) and (bias|weight) type")]
    private static partial Regex OtherWeights();

    /// <summary>The overload in the name of an operator: <c>.Tensor</c>, <c>.out</c>.</summary>
    [GeneratedRegex(@"\.[A-Za-z_]+$")]
    private static partial Regex Overloaded();
}
