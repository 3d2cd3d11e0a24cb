using System.Buffers.Binary;
using System.Numerics;

namespace TorchQuant.Kernels.Generated;

/// <summary>
/// Writes the few x86-64 instructions that the generated kernels consist of (Intel SDM volume 2, chapter 2: REX, EVEX and disp8*N). Vector instructions are the 512-bit EVEX forms without
/// masks, but for loads and stores of a part; vector registers are the numbers 0..31. Each form is tested against a disassembler.
/// </summary>
internal sealed class Assembler
{
    /// <summary>Conditions of a jump, as in the opcode 0F 80+cc.</summary>
    public enum Condition
    {
        Equal = 0x4,
        NotEqual = 0x5,
        Less = 0xC,
        GreaterOrEqual = 0xD,
    }

    private enum Map
    {
        M0F = 1,
        M0F38 = 2,
        M0F3A = 3,
    }

    private enum Prefix
    {
        None = 0,
        P66 = 1,
        PF3 = 2,
        PF2 = 3,
    }

    /// <summary>The length of the vectors as EVEX has it.</summary>
    private enum Length
    {
        L128 = 0,
        L256 = 1,
        L512 = 2,
    }

    private const int VectorBytes = 64;

    private readonly List<byte> _code = [];

    /// <summary>Where the next instruction goes, from the start of the code.</summary>
    public int Position => _code.Count;

    /// <summary>The code so far.</summary>
    public ReadOnlySpan<byte> Code => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_code);

    /// <summary>sums[i] += the sum of four products unsigned activations[i] x signed weights[i], in each of the sixteen int32.</summary>
    public void Vpdpbusd(int sums, int activations, int weights) => Vector(Map.M0F38, Prefix.P66, 0x50, sums, activations, weights);

    public void Vpxord(int target, int left, int right) => Vector(Map.M0F, Prefix.P66, 0xEF, target, left, right);

    public void Vpaddd(int target, int left, int right) => Vector(Map.M0F, Prefix.P66, 0xFE, target, left, right);

    /// <summary>The same with weights in memory.</summary>
    public void Vpdpbusd(int sums, int activations, Memory weights) => Vector(Map.M0F38, Prefix.P66, 0x50, sums, activations, weights, VectorBytes);

    /// <summary>Copies a register.</summary>
    public void Vmovdqa32(int target, int source) => Vector(Map.M0F, Prefix.P66, 0x6F, target, 0, source);

    /// <summary>In each 128 bits the low eight bytes of both, in turn; the next three likewise for high halves and for int16.</summary>
    public void Vpunpcklbw(int target, int left, int right) => Vector(Map.M0F, Prefix.P66, 0x60, target, left, right);

    public void Vpunpckhbw(int target, int left, int right) => Vector(Map.M0F, Prefix.P66, 0x68, target, left, right);

    public void Vpunpcklwd(int target, int left, int right) => Vector(Map.M0F, Prefix.P66, 0x61, target, left, right);

    public void Vpunpckhwd(int target, int left, int right) => Vector(Map.M0F, Prefix.P66, 0x69, target, left, right);

    /// <summary>int32 to float, rounded to nearest even.</summary>
    public void Vcvtdq2ps(int target, int source) => Vector(Map.M0F, Prefix.None, 0x5B, target, 0, source);

    /// <summary>float to int32, rounded to nearest even; int.MinValue for what does not fit.</summary>
    public void Vcvtps2dq(int target, int source) => Vector(Map.M0F, Prefix.P66, 0x5B, target, 0, source);

    public void Vmulps(int target, int left, int right) => Vector(Map.M0F, Prefix.None, 0x59, target, left, right);

    /// <summary>min(left, right); right if one is NaN.</summary>
    public void Vminps(int target, int left, int right) => Vector(Map.M0F, Prefix.None, 0x5D, target, left, right);

    public void Vaddps(int target, int left, int right) => Vector(Map.M0F, Prefix.None, 0x58, target, left, right);

    /// <summary>max(left, right); right if one is NaN, or if both are zeros.</summary>
    public void Vmaxps(int target, int left, int right) => Vector(Map.M0F, Prefix.None, 0x5F, target, left, right);

    /// <summary>sum += left * right, rounded once.</summary>
    public void Vfmadd231ps(int sum, int left, int right) => Vector(Map.M0F38, Prefix.P66, 0xB8, sum, left, right);

    /// <summary>In each 128 bits the int32 of left, then those of right, as int16 with saturation.</summary>
    public void Vpackssdw(int target, int left, int right) => Vector(Map.M0F, Prefix.P66, 0x6B, target, left, right);

    /// <summary>In each 128 bits the int16 of left, then those of right, as uint8 with saturation.</summary>
    public void Vpackuswb(int target, int left, int right) => Vector(Map.M0F, Prefix.P66, 0x67, target, left, right);

    /// <summary>int16 with saturation.</summary>
    public void Vpaddsw(int target, int left, int right) => Vector(Map.M0F, Prefix.P66, 0xED, target, left, right);

    /// <summary>The larger of uint8.</summary>
    public void Vpmaxub(int target, int left, int right) => Vector(Map.M0F, Prefix.P66, 0xDE, target, left, right);

    /// <summary>target = left - the sixteen int32 at an address.</summary>
    public void Vpsubd(int target, int left, Memory right) => Vector(Map.M0F, Prefix.P66, 0xFA, target, left, right, VectorBytes);

    /// <summary>The low halves of int32 products with sixteen numbers at an address.</summary>
    public void Vpmulld(int target, int left, Memory right) => Vector(Map.M0F38, Prefix.P66, 0x40, target, left, right, VectorBytes);

    /// <summary>Adds int16, saturated.</summary>
    public void Vpaddsw(int target, int left, Memory right) => Vector(Map.M0F, Prefix.P66, 0xED, target, left, right, VectorBytes);

    public void Vpmaxub(int target, int left, Memory right) => Vector(Map.M0F, Prefix.P66, 0xDE, target, left, right, VectorBytes);

    public void Vpminub(int target, int left, Memory right) => Vector(Map.M0F, Prefix.P66, 0xDA, target, left, right, VectorBytes);

    /// <summary>target[i] = source[order[i]], in int32.</summary>
    public void Vpermd(int target, int order, int source) => Vector(Map.M0F38, Prefix.P66, 0x36, target, order, source);

    /// <summary>Plus sixteen numbers at an address.</summary>
    public void Vaddps(int target, int left, Memory right) => Vector(Map.M0F, Prefix.None, 0x58, target, left, right, VectorBytes);

    /// <summary>Times sixteen numbers at an address.</summary>
    public void Vmulps(int target, int left, Memory right) => Vector(Map.M0F, Prefix.None, 0x59, target, left, right, VectorBytes);

    public void Vminps(int target, int left, Memory right) => Vector(Map.M0F, Prefix.None, 0x5D, target, left, right, VectorBytes);

    public void Vmaxps(int target, int left, Memory right) => Vector(Map.M0F, Prefix.None, 0x5F, target, left, right, VectorBytes);

    /// <summary>To the nearest whole number, half to even (vrndscaleps).</summary>
    public void VroundEven(int target, int source)
    {
        Vector(Map.M0F3A, Prefix.P66, 0x08, target, 0, source);
        Emit(0);
    }

    /// <summary>The uint8 of the mask as int32; zeros for the others, whose memory is not touched.</summary>
    public void Vpmovzxbd(int target, Memory source, int mask)
    {
        Evex(Map.M0F38, Prefix.P66, target, 0, (int)source.Base & 8, (int)(source.Index ?? 0) & 8, mask: mask, isZeroing: true);
        Emit(0x31);
        Operand(target, source, VectorBytes / sizeof(int));
    }

    /// <summary>sum += left * right, rounded once; right is one number at an address.</summary>
    public void Vfmadd231ps(int sum, int left, Memory right) => Vector(Map.M0F38, Prefix.P66, 0xB8, sum, left, right, sizeof(float), isBroadcast: true);

    /// <summary>product = left * product + addend, rounded once.</summary>
    public void Vfmadd213ps(int product, int left, int addend) => Vector(Map.M0F38, Prefix.P66, 0xA8, product, left, addend);

    /// <summary>product = left * product + addend, rounded once; the addends are sixteen numbers at an address.</summary>
    public void Vfmadd213ps(int product, int left, Memory addend) => Vector(Map.M0F38, Prefix.P66, 0xA8, product, left, addend, VectorBytes);

    /// <summary>One of the four parts of 128 bits, to the low end of another register.</summary>
    public void Vextracti32x4(int target, int source, int part)
    {
        Vector(Map.M0F3A, Prefix.P66, 0x39, source, 0, target);
        Emit(part);
    }

    /// <summary>The bytes of the mask out of the low 128 bits.</summary>
    public void StoreBytes128(Memory target, int source, int mask) => Bytes(Length.L128, target, source, mask);

    /// <summary>The bytes of the mask out of the low 256 bits.</summary>
    public void StoreBytes256(Memory target, int source, int mask) => Bytes(Length.L256, target, source, mask);

    /// <summary>The upper 256 bits, to the low end of another register.</summary>
    public void VextractUpper(int target, int source)
    {
        Evex(Map.M0F3A, Prefix.P66, source, 0, target & 8, target & 16, isWide: true);
        Emit(0x3B, 0xC0 | ((source & 7) << 3) | (target & 7), 1);
    }

    /// <summary>A mask of 32 bits from memory.</summary>
    public void Kmovd(int mask, Memory source)
    {
        Emit(0xC4, 0xC0 | (((int)source.Base & 8) == 0 ? 0x20 : 0) | (int)Map.M0F, 0xF8 | (int)Prefix.P66, 0x90);
        Operand(mask, source, 1);
    }

    /// <summary>The four bytes at an address, in each int32.</summary>
    public void Vpbroadcastd(int target, Memory source) => Vector(Map.M0F38, Prefix.P66, 0x58, target, source, sizeof(int));

    public void Load(int target, Memory source) => Vector(Map.M0F, Prefix.PF3, 0x6F, target, source, VectorBytes);

    public void Store(Memory target, int source) => Vector(Map.M0F, Prefix.PF3, 0x7F, source, target, VectorBytes);

    /// <summary>A whole cache line past the cache (vmovntps); the address is aligned.</summary>
    public void StorePast(Memory target, int source) => Vector(Map.M0F, Prefix.None, 0x2B, source, target, VectorBytes);

    /// <summary>The int32 or floats of the mask; zeros for the others, whose memory is not touched.</summary>
    public void Load(int target, Memory source, int mask) => Numbers(0x6F, target, source, mask, isZeroing: true);

    /// <summary>The int32 or floats of the mask; the memory of the others is not touched.</summary>
    public void Store(Memory target, int source, int mask) => Numbers(0x7F, source, target, mask, isZeroing: false);

    /// <summary>Asks for the cache line of an address in the first level (prefetcht0).</summary>
    public void Prefetch(Memory memory) => Xmm(0x18, 1, memory);

    /// <summary>Asks for the cache line of an address to be written (prefetchw).</summary>
    public void PrefetchForWriting(Memory memory) => Xmm(0x0D, 1, memory);

    /// <summary>Stores the low 128 bits of one of the registers 0..15 (movups).</summary>
    public void StoreXmm(Memory target, int source) => Xmm(0x11, source, target);

    /// <summary>Loads the low 128 bits of one of the registers 0..15 and leaves the rest (movups).</summary>
    public void LoadXmm(int target, Memory source) => Xmm(0x10, target, source);

    public void Vzeroupper() => Emit(0xC5, 0xF8, 0x77);

    public void Mov(Gpr target, Gpr source)
    {
        Rex((int)source, (int)target, 0);
        Emit(0x89, 0xC0 | (((int)source & 7) << 3) | ((int)target & 7));
    }

    public void Mov(Gpr target, Memory source)
    {
        Rex((int)target, (int)source.Base, (int)(source.Index ?? 0));
        Emit(0x8B);
        Operand((int)target, source, 1);
    }

    public void Mov(Memory target, Gpr source)
    {
        Rex((int)source, (int)target.Base, (int)(target.Index ?? 0));
        Emit(0x89);
        Operand((int)source, target, 1);
    }

    public void Lea(Gpr target, Memory source)
    {
        Rex((int)target, (int)source.Base, (int)(source.Index ?? 0));
        Emit(0x8D);
        Operand((int)target, source, 1);
    }

    /// <summary>Brings a cache line to the second level.</summary>
    public void Prefetcht1(Memory line)
    {
        Rex(0, (int)line.Base, (int)(line.Index ?? 0));
        Emit(0x0F, 0x18);
        Operand(2, line, 1);
    }

    public void Add(Gpr target, int value) => Immediate(0, target, value);

    public void Add(Gpr target, Memory value)
    {
        Rex((int)target, (int)value.Base, (int)(value.Index ?? 0));
        Emit(0x03);
        Operand((int)target, value, 1);
    }

    public void Sub(Gpr target, int value) => Immediate(5, target, value);

    public void Push(Gpr register) => Short(0x50, register);

    public void Pop(Gpr register) => Short(0x58, register);

    public void Ret() => Emit(0xC3);

    /// <summary>Jumps back to a position.</summary>
    public void Jump(Condition condition, int position)
    {
        int patch = JumpForward(condition);
        Write(patch, position);
    }

    /// <summary>Jumps to a position that comes later.</summary>
    /// <returns>What <see cref="Land"/> takes there.</returns>
    public int JumpForward(Condition condition)
    {
        Emit(0x0F, 0x80 | (int)condition, 0, 0, 0, 0);
        return Position;
    }

    /// <summary>The same without a condition.</summary>
    public int JumpForward()
    {
        Emit(0xE9, 0, 0, 0, 0);
        return Position;
    }

    /// <summary>Here lands a jump forward.</summary>
    public void Land(int jump) => Write(jump, Position);

    /// <summary>Fills up with nop to a multiple of <paramref name="bytes"/>.</summary>
    public void Align(int bytes)
    {
        while (Position % bytes != 0)
            Emit(0x90);
    }

    private void Write(int endOfJump, int position) =>
        BinaryPrimitives.WriteInt32LittleEndian(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_code)[(endOfJump - sizeof(int))..], position - endOfJump);

    private void Vector(Map map, Prefix prefix, int opcode, int target, int left, int right)
    {
        Evex(map, prefix, target, left, right & 8, right & 16);
        Emit(opcode, 0xC0 | ((target & 7) << 3) | (right & 7));
    }

    private void Vector(Map map, Prefix prefix, int opcode, int register, Memory memory, int displacementUnit) => Vector(map, prefix, opcode, register, 0, memory, displacementUnit);

    private void Vector(Map map, Prefix prefix, int opcode, int register, int second, Memory memory, int displacementUnit, bool isBroadcast = false)
    {
        Evex(map, prefix, register, second, (int)memory.Base & 8, (int)(memory.Index ?? 0) & 8, isBroadcast: isBroadcast);
        Emit(opcode);
        Operand(register, memory, displacementUnit);
    }

    /// <summary>vmovdqu8 to memory.</summary>
    private void Bytes(Length length, Memory target, int source, int mask)
    {
        Evex(Map.M0F, Prefix.PF2, source, 0, (int)target.Base & 8, (int)(target.Index ?? 0) & 8, length: length, mask: mask);
        Emit(0x7F);
        Operand(source, target, 16 << (int)length);
    }

    /// <summary>vmovdqu32 from or to memory.</summary>
    private void Numbers(int opcode, int register, Memory memory, int mask, bool isZeroing)
    {
        Evex(Map.M0F, Prefix.PF3, register, 0, (int)memory.Base & 8, (int)(memory.Index ?? 0) & 8, mask: mask, isZeroing: isZeroing);
        Emit(opcode);
        Operand(register, memory, VectorBytes);
    }

    /// <summary>62 P0 P1 P2. Register bits are stored inverted: R B X R' V'. Mask 0 is none.</summary>
    private void Evex(Map map, Prefix prefix, int register, int second, int b, int x, bool isWide = false, Length length = Length.L512, int mask = 0, bool isBroadcast = false, bool isZeroing = false) => Emit(
        0x62,
        ((register & 8) == 0 ? 0x80 : 0) | (x == 0 ? 0x40 : 0) | (b == 0 ? 0x20 : 0) | ((register & 16) == 0 ? 0x10 : 0) | (int)map,
        (isWide ? 0x80 : 0) | ((~second & 15) << 3) | 4 | (int)prefix,
        (isZeroing ? 0x80 : 0) | ((int)length << 5) | (isBroadcast ? 0x10 : 0) | ((second & 16) == 0 ? 8 : 0) | mask);

    private void Xmm(int opcode, int register, Memory memory)
    {
        int rex = 0x40 | ((register & 8) >> 1) | (((int)(memory.Index ?? 0) & 8) >> 2) | (((int)memory.Base & 8) >> 3);
        if (rex != 0x40)
            Emit(rex);
        Emit(0x0F, opcode);
        Operand(register, memory, 1);
    }

    /// <summary>ModRM, SIB and displacement. A displacement of one byte counts in units of <paramref name="unit"/>.</summary>
    private void Operand(int register, Memory memory, int unit)
    {
        int low = (int)memory.Base & 7;
        // Rsp and R12 as a base need a SIB byte; Rbp and R13 need a displacement.
        bool hasSib = memory.Index is not null || low == (int)Gpr.Rsp;
        bool isShort = memory.Displacement % unit == 0 && memory.Displacement / unit is >= sbyte.MinValue and <= sbyte.MaxValue;
        int mode = memory.Displacement == 0 && low != (int)Gpr.Rbp ? 0 : isShort ? 1 : 2;
        Emit((mode << 6) | ((register & 7) << 3) | (hasSib ? 4 : low));
        if (hasSib)
            Emit((BitOperations.Log2((uint)memory.Scale) << 6) | ((memory.Index is { } index ? (int)index & 7 : 4) << 3) | low);
        if (mode == 1)
            Emit(memory.Displacement / unit & 0xFF);
        else if (mode == 2)
            Emit32(memory.Displacement);
    }

    private void Immediate(int extension, Gpr target, int value)
    {
        Rex(0, (int)target, 0);
        bool isShort = value is >= sbyte.MinValue and <= sbyte.MaxValue;
        Emit(isShort ? 0x83 : 0x81, 0xC0 | (extension << 3) | ((int)target & 7));
        if (isShort)
            Emit(value & 0xFF);
        else
            Emit32(value);
    }

    private void Short(int opcode, Gpr register)
    {
        if ((int)register >= 8)
            Emit(0x41);
        Emit(opcode | ((int)register & 7));
    }

    /// <summary>REX.W with the high bits of the three registers.</summary>
    private void Rex(int register, int b, int x) => Emit(0x48 | ((register & 8) >> 1) | ((x & 8) >> 2) | ((b & 8) >> 3));

    private void Emit(params ReadOnlySpan<int> bytes)
    {
        foreach (int value in bytes)
            _code.Add((byte)value);
    }

    private void Emit32(int value) => Emit(value & 0xFF, (value >> 8) & 0xFF, (value >> 16) & 0xFF, (value >> 24) & 0xFF);
}
