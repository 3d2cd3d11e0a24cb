using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>
/// The machine code of a depthwise convolution from unpacked columns (<see cref="DepthwiseColumnsCode"/>) to codes, for 64 channels and kernels of any size:
/// <code>
///              x0     x1     x2      for each group of four elements of the kernel and each vector of 16 channels: the quads of three outputs,
///   row 0  w   s00    s01    s02     for each row one load of weights and three dot products
///   row 1  w   s10    s11    s12     2 rows x 3 outputs x 4 vectors: 24 sums, 3 quads and 1 vector of weights leave 4 registers of the 32
/// </code>
/// As a function: void (<see cref="DepthwiseOutputs"/>*), in the calling convention of System V or of 64-bit Windows.
/// </summary>
internal sealed class DepthwiseOutputsCode
{
    /// <summary>Output rows at most.</summary>
    public const int MaxRows = 2;

    /// <summary>Outputs of a row in a block; there is a form for lone ones too.</summary>
    public const int BlockOutputs = 3;

    private const int Vectors = 4, VectorBytes = 64;
    private const int Quads = MaxRows * BlockOutputs * Vectors, Weights = Quads + BlockOutputs, Biases = Quads;

    private enum Field
    {
        Quads,
        QuadsOutput,
        Weights,
        WeightsRow,
        Taps,
        Groups,
        TapSkip,
        Output,
        OutputRow,
        OutputColumn,
        Count,
        Terms,
    }

    private readonly Assembler _asm;
    private readonly DepthwiseEpilogue _epilogue;
    private readonly int _rows, _outputs;

    private DepthwiseOutputsCode(Assembler asm, int rows, int outputs) =>
        (_asm, _rows, _outputs, _epilogue) = (asm, rows, outputs, new DepthwiseEpilogue(asm, terms: R10, constants: Biases + Vectors, Biases));

    /// <summary>Appends the code for that many output rows and outputs of a block.</summary>
    /// <returns>Where it begins.</returns>
    public static int Append(Assembler asm, int rows, int outputs, bool isWindows)
    {
        asm.Align(TileLoop.CodeAlignment);
        int start = asm.Position;
        if (isWindows)
            WindowsFrame.Enter(asm);
        asm.Mov(Rax, isWindows ? Rcx : Rdi);
        new DepthwiseOutputsCode(asm, rows, outputs).Write();
        asm.Vzeroupper();
        if (isWindows)
            WindowsFrame.Leave(asm);
        asm.Ret();
        return start;
    }

    /// <summary>rax: the fields; r10: terms; rsi: quads, rdx: those of the next output; r8: weights, r9: to those of the second row; rdi and rcx count pieces and groups.</summary>
    private void Write()
    {
        _asm.Mov(R10, At(Field.Terms));
        _asm.Mov(Rdx, At(Field.QuadsOutput));
        _asm.Mov(R9, At(Field.WeightsRow));
        _epilogue.LoadConstants();
        int block = _asm.Position;
        for (int i = 0; i < Sums(_rows, 0); i++)
        {
            if (i < Vectors)
                _asm.Load(i, new Memory(R10, DepthwiseTerms.Sums + i * VectorBytes));
            else
                _asm.Vmovdqa32(i, i % Vectors);
        }

        Products();
        Finish();
        _asm.Mov(Rsi, At(Field.Quads));
        for (int i = 0; i < _outputs; i++)
            _asm.Lea(Rsi, new Memory(Rsi, Index: Rdx));
        _asm.Mov(At(Field.Quads), Rsi);
        _asm.Mov(Rcx, At(Field.Count));
        _asm.Sub(Rcx, 1);
        _asm.Mov(At(Field.Count), Rcx);
        _asm.Jump(Assembler.Condition.NotEqual, block);
    }

    private void Products()
    {
        _asm.Mov(Rsi, At(Field.Quads));
        _asm.Mov(R8, At(Field.Weights));
        _asm.Mov(Rdi, At(Field.Taps));
        int tap = _asm.Position;
        _asm.Mov(Rcx, At(Field.Groups));
        _asm.Align(TileLoop.CodeAlignment);
        int group = _asm.Position;
        for (int v = 0; v < Vectors; v++)
        {
            for (int output = 0; output < _outputs; output++)
                _asm.Load(Quads + output, output == 0 ? new Memory(Rsi, v * VectorBytes) : new Memory(Rsi, v * VectorBytes, Rdx, output));
            for (int row = 0; row < _rows; row++)
                Products(v, row, row == 0 ? new Memory(R8, v * VectorBytes) : new Memory(R8, v * VectorBytes, R9));
        }

        _asm.Add(Rsi, DepthwiseColumnsCode.QuadsBytes);
        _asm.Add(R8, DepthwiseColumnsCode.QuadsBytes);
        _asm.Sub(Rcx, 1);
        _asm.Jump(Assembler.Condition.NotEqual, group);
        _asm.Add(Rsi, At(Field.TapSkip));
        _asm.Sub(Rdi, 1);
        _asm.Jump(Assembler.Condition.NotEqual, tap);
    }

    private void Products(int v, int row, Memory weights)
    {
        if (_outputs == 1)
        {
            _asm.Vpdpbusd(Sums(row, 0) + v, Quads, weights);
            return;
        }

        _asm.Load(Weights, weights);
        for (int output = 0; output < _outputs; output++)
            _asm.Vpdpbusd(Sums(row, output) + v, Quads + output, Weights);
    }

    private void Finish()
    {
        _epilogue.LoadBiases();
        _asm.Mov(Rdi, At(Field.Output));
        _asm.Mov(Rcx, At(Field.OutputRow));
        _asm.Mov(R11, At(Field.OutputColumn));
        for (int output = 0; output < _outputs; output++)
        {
            for (int row = 0; row < _rows; row++)
            {
                _epilogue.Requantize(Sums(row, output));
                _asm.Store(row == 0 ? new Memory(Rdi) : new Memory(Rdi, 0, Rcx), Sums(row, output));
            }

            _asm.Lea(Rdi, new Memory(Rdi, Index: R11));
        }

        _asm.Mov(At(Field.Output), Rdi);
    }

    private int Sums(int row, int output) => (row * _outputs + output) * Vectors;

    private static Memory At(Field field) => new(Rax, (int)field * sizeof(long));
}
