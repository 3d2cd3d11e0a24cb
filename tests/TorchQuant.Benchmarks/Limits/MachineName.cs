using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;
using Microsoft.ML.OnnxRuntime;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Limits;

/// <summary>What a result is worth depends on: the processor, the row of the table of instruction sets, the versions.</summary>
internal static class MachineName
{
    /// <summary>The processor's own name, from cpuid.</summary>
    public static string Processor
    {
        get
        {
            if (!X86Base.IsSupported || (uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax < 0x80000004)
                return RuntimeInformation.ProcessArchitecture.ToString();
            var text = new List<byte>();
            for (int leaf = 2; leaf <= 4; leaf++)
            {
                (int a, int b, int c, int d) = X86Base.CpuId(unchecked((int)0x80000000) + leaf, 0);
                foreach (int register in (int[])[a, b, c, d])
                    text.AddRange(BitConverter.GetBytes(register));
            }

            return Encoding.ASCII.GetString([.. text]).TrimEnd('\0').Trim();
        }
    }

    public static string Description =>
        $"{Processor} ({X86Family}), {Environment.ProcessorCount} processors, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, "
        + $"instruction set row {Isa.Current.Name}, libtorch {TorchSharp.torch.__version__}, ONNX Runtime {OrtEnv.Instance().GetVersionString()}";

    /// <summary>Family and model, since virtual machines hide the name.</summary>
    private static string X86Family
    {
        get
        {
            if (!X86Base.IsSupported)
                return "no x86";
            int eax = X86Base.CpuId(1, 0).Eax, family = (eax >> 8) & 15, model = (eax >> 4) & 15;
            return family < 15 ? $"family {family}, model {model}" : $"family {family + ((eax >> 20) & 255)}, model {model + (((eax >> 16) & 15) << 4)}";
        }
    }
}
