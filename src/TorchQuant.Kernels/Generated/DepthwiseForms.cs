namespace TorchQuant.Kernels.Generated;

/// <summary>The generated functions of depthwise convolutions, placed in memory when the first is needed.</summary>
internal static unsafe class DepthwiseForms
{
    /// <summary>Products of a block of outputs, in groups of the kernel, that take about a microsecond. A call that skips the runtime's transition holds up a garbage collection for as long as it runs.</summary>
    private const nint ShortWork = 256;

    private const int RowForms = DepthwiseCode.MaxRows * DepthwiseCode.MaxStride * 2, OutputForms = DepthwiseOutputsCode.MaxRows * 2;

    private static readonly nint[]? s_forms = Create();

    /// <summary>Whether the system lets memory be made executable.</summary>
    public static bool AreThere => s_forms is not null;

    /// <summary>See <see cref="DepthwiseCode"/>. A call takes about a microsecond at most: the driver gives it short rows.</summary>
    public static void Run(int rows, int stride, int kernelHeight, DepthwiseRow* row)
    {
        int inputRows = rows == 1 && kernelHeight < DepthwiseCode.MostInputRows ? DepthwiseCode.LeastInputRows : DepthwiseCode.MostInputRows;
        ((delegate* unmanaged[SuppressGCTransition]<DepthwiseRow*, void>)s_forms![RowIndex(rows, stride, inputRows)])(row);
    }

    /// <summary>See <see cref="DepthwiseColumnsCode"/>.</summary>
    public static void Run(DepthwiseColumns* columns) => ((delegate* unmanaged[SuppressGCTransition]<DepthwiseColumns*, void>)s_forms![^1])(columns);

    /// <summary>See <see cref="DepthwiseOutputsCode"/>.</summary>
    public static void Run(int rows, int blockOutputs, DepthwiseOutputs* outputs)
    {
        nint code = s_forms![OutputIndex(rows, blockOutputs)];
        if (outputs->Count * outputs->Taps * outputs->Groups <= ShortWork)
            ((delegate* unmanaged[SuppressGCTransition]<DepthwiseOutputs*, void>)code)(outputs);
        else
            ((delegate* unmanaged<DepthwiseOutputs*, void>)code)(outputs);
    }

    private static int RowIndex(int rows, int stride, int inputRows) => ((rows - 1) * DepthwiseCode.MaxStride + stride - 1) * 2 + inputRows - DepthwiseCode.LeastInputRows;

    private static int OutputIndex(int rows, int blockOutputs) => RowForms + (rows - 1) * 2 + (blockOutputs > 1 ? 1 : 0);

    private static nint[]? Create()
    {
        bool isWindows = OperatingSystem.IsWindows();
        var asm = new Assembler();
        nint[] forms = new nint[RowForms + OutputForms + 1];
        for (int rows = 1; rows <= DepthwiseCode.MaxRows; rows++)
        {
            for (int stride = 1; stride <= DepthwiseCode.MaxStride; stride++)
            {
                for (int inputRows = DepthwiseCode.LeastInputRows; inputRows <= DepthwiseCode.MostInputRows; inputRows++)
                    forms[RowIndex(rows, stride, inputRows)] = DepthwiseCode.Append(asm, rows, stride, inputRows, isWindows);
            }
        }

        for (int rows = 1; rows <= DepthwiseOutputsCode.MaxRows; rows++)
        {
            foreach (int outputs in (ReadOnlySpan<int>)[1, DepthwiseOutputsCode.BlockOutputs])
                forms[OutputIndex(rows, outputs)] = DepthwiseOutputsCode.Append(asm, rows, outputs, isWindows);
        }

        forms[^1] = DepthwiseColumnsCode.Append(asm, isWindows);
        byte* code = ExecutableMemory.TryPlace(asm.Code);
        if (code == null)
            return null;
        for (int i = 0; i < forms.Length; i++)
            forms[i] += (nint)code;
        return forms;
    }
}
