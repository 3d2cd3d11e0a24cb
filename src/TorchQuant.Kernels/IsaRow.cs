using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>A row of the table: the one driver and the one set of elementwise loops, compiled for a micro-kernel and a vector width.</summary>
internal sealed unsafe class Isa<TKernel, TLanes, TFloat, TInt>(string name) : Isa(name)
    where TKernel : struct, IMicroKernel, IDepthwiseKernel
    where TLanes : struct, ILanes<TFloat, TInt>
{
    internal override void Multiply(GemmJob* job, int threads) => GemmDriver<TKernel, TLanes, TFloat, TInt>.Run(job, threads);

    internal override void MultiplyGates(GateJob* job, int threads) => GateDriver<TKernel, TLanes, TFloat, TInt>.Run(job, threads);

    internal override void QuantizeLstmRows(LstmRows* job, int threads) => LstmRowsDriver<TKernel, TLanes, TFloat, TInt>.Quantize(job, threads);

    internal override void StepLstmRows(LstmRows* job, int threads) => LstmRowsDriver<TKernel, TLanes, TFloat, TInt>.Step(job, threads);

    internal override void Convolve(ConvolutionJob* job, int threads)
    {
        if (!WindowDriver<TKernel, TLanes, TFloat, TInt>.TryRun(job, threads))
            ConvolutionDriver<TKernel, TLanes, TFloat, TInt>.Run(job, threads);
    }

    internal override void ConvolveDepthwise(ConvolutionJob* job, int threads)
    {
        if (FusedDepthwiseDriver<TKernel, TLanes, TFloat, TInt>.Fits(job))
            FusedDepthwiseDriver<TKernel, TLanes, TFloat, TInt>.Run(job, threads);
        else
            DepthwiseDriver<TKernel, TLanes, TFloat, TInt>.Run(job, threads);
    }

    internal override void Quantize(float* x, byte* codes, nint count, QParams qparams, int low, int high) =>
        Elementwise<TLanes, TFloat, TInt>.Quantize(x, codes, count, qparams, low, high);

    internal override void QuantizeDynamic(float* x, byte* codes, nint count, QParams qparams) =>
        Elementwise<TLanes, TFloat, TInt>.QuantizeDynamic(x, codes, count, qparams);

    internal override void Dequantize(byte* codes, bool signed, float* x, nint count, QParams qparams) =>
        Elementwise<TLanes, TFloat, TInt>.Dequantize(codes, signed, x, count, qparams);

    internal override (float Min, float Max) MinMax(float* x, nint count) => Elementwise<TLanes, TFloat, TInt>.MinMax(x, count);

    internal override int RowSum(byte* codes, nint count) => Elementwise<TLanes, TFloat, TInt>.Sum(codes, count) - TKernel.ActivationOffset * (int)count;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal override void Run<TWork>(in TWork work) => work.Run<TLanes, TFloat, TInt>();
}
