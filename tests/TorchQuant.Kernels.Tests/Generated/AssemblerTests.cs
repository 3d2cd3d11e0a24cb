using Iced.Intel;
using TorchQuant.Kernels.Generated;
using Xunit;
using Assembler = TorchQuant.Kernels.Generated.Assembler;

namespace TorchQuant.Kernels.Tests.Generated;

/// <summary>Every instruction form, read back by a disassembler, over all registers and kinds of memory operands.</summary>
public class AssemblerTests
{
    private static readonly Gpr[] s_registers = Enum.GetValues<Gpr>();
    private static readonly int[] s_displacements = [0, 4, 64, -64, 100, 127, 128, -128, -129, 508, 8128, -8192, 8192, 1_000_000];

    /// <summary>Every base with every displacement, and every base with every index, once with each scale.</summary>
    private static IEnumerable<Memory> Operands =>
        from b in s_registers
        from operand in s_displacements.Select(d => new Memory(b, d)).Concat(
            s_registers.Where(i => i != Gpr.Rsp).Select(i => new Memory(b, s_displacements[(int)i % s_displacements.Length], i, 1 << (((int)b + (int)i) % 4))))
        select operand;

    [Fact]
    public void Arithmetic_on_vectors_is_encoded_for_all_registers()
    {
        for (int target = 0; target < 32; target++)
        {
            for (int left = 0; left < 32; left++)
            {
                int right = (target * 7 + left * 3) % 32;
                foreach ((Mnemonic mnemonic, Action<Assembler> emit) in new (Mnemonic, Action<Assembler>)[]
                {
                    (Mnemonic.Vpdpbusd, asm => asm.Vpdpbusd(target, left, right)),
                    (Mnemonic.Vpxord, asm => asm.Vpxord(target, left, right)),
                    (Mnemonic.Vpaddd, asm => asm.Vpaddd(target, left, right)),
                    (Mnemonic.Vpunpcklbw, asm => asm.Vpunpcklbw(target, left, right)),
                    (Mnemonic.Vpunpckhbw, asm => asm.Vpunpckhbw(target, left, right)),
                    (Mnemonic.Vpunpcklwd, asm => asm.Vpunpcklwd(target, left, right)),
                    (Mnemonic.Vpunpckhwd, asm => asm.Vpunpckhwd(target, left, right)),
                    (Mnemonic.Vmulps, asm => asm.Vmulps(target, left, right)),
                    (Mnemonic.Vaddps, asm => asm.Vaddps(target, left, right)),
                    (Mnemonic.Vmaxps, asm => asm.Vmaxps(target, left, right)),
                    (Mnemonic.Vminps, asm => asm.Vminps(target, left, right)),
                    (Mnemonic.Vfmadd231ps, asm => asm.Vfmadd231ps(target, left, right)),
                    (Mnemonic.Vfmadd213ps, asm => asm.Vfmadd213ps(target, left, right)),
                    (Mnemonic.Vpackssdw, asm => asm.Vpackssdw(target, left, right)),
                    (Mnemonic.Vpackuswb, asm => asm.Vpackuswb(target, left, right)),
                    (Mnemonic.Vpaddsw, asm => asm.Vpaddsw(target, left, right)),
                    (Mnemonic.Vpmaxub, asm => asm.Vpmaxub(target, left, right)),
                    (Mnemonic.Vpermd, asm => asm.Vpermd(target, left, right)),
                })
                {
                    Instruction found = One(emit);
                    Assert.Equal((mnemonic, Zmm(target), Zmm(left), Zmm(right)), (found.Mnemonic, found.Op0Register, found.Op1Register, found.Op2Register));
                    Assert.Equal(Register.None, found.OpMask);
                }
            }
        }
    }

    [Fact]
    public void Instructions_with_one_source_are_encoded_for_all_registers()
    {
        for (int target = 0; target < 32; target++)
        {
            for (int source = 0; source < 32; source++)
            {
                foreach ((Mnemonic mnemonic, Action<Assembler> emit) in new (Mnemonic, Action<Assembler>)[]
                {
                    (Mnemonic.Vcvtdq2ps, asm => asm.Vcvtdq2ps(target, source)),
                    (Mnemonic.Vcvtps2dq, asm => asm.Vcvtps2dq(target, source)),
                    (Mnemonic.Vmovdqa32, asm => asm.Vmovdqa32(target, source)),
                })
                {
                    Instruction found = One(emit);
                    Assert.Equal((mnemonic, Zmm(target), Zmm(source), 2), (found.Mnemonic, found.Op0Register, found.Op1Register, found.OpCount));
                    Assert.Equal(Register.None, found.OpMask);
                }

                int part = (target + source) % 4;
                Instruction quarter = One(asm => asm.Vextracti32x4(target, source, part)), upper = One(asm => asm.VextractUpper(target, source));
                Assert.Equal((Mnemonic.Vextracti32x4, Register.XMM0 + target, Zmm(source), part), (quarter.Mnemonic, quarter.Op0Register, quarter.Op1Register, quarter.Immediate8));
                Instruction whole = One(asm => asm.VroundEven(target, source));
                Assert.Equal((Mnemonic.Vrndscaleps, Zmm(target), Zmm(source), 0), (whole.Mnemonic, whole.Op0Register, whole.Op1Register, whole.Immediate8));
                Assert.Equal((Mnemonic.Vextracti64x4, Register.YMM0 + target, Zmm(source), 1), (upper.Mnemonic, upper.Op0Register, upper.Op1Register, upper.Immediate8));
            }
        }
    }

    [Fact]
    public void Arithmetic_with_memory_and_stores_under_a_mask_are_encoded_for_all_operands()
    {
        int target = 0;
        foreach (Memory memory in Operands)
        {
            target = (target + 5) % 32;
            int left = (target * 3 + 1) % 32, mask = target % 7 + 1;
            foreach ((Mnemonic mnemonic, bool isBroadcast, Action<Assembler> emit) in new (Mnemonic, bool, Action<Assembler>)[]
            {
                (Mnemonic.Vpsubd, false, asm => asm.Vpsubd(target, left, memory)),
                (Mnemonic.Vpaddsw, false, asm => asm.Vpaddsw(target, left, memory)),
                (Mnemonic.Vpmaxub, false, asm => asm.Vpmaxub(target, left, memory)),
                (Mnemonic.Vpminub, false, asm => asm.Vpminub(target, left, memory)),
                (Mnemonic.Vmulps, false, asm => asm.Vmulps(target, left, memory)),
                (Mnemonic.Vminps, false, asm => asm.Vminps(target, left, memory)),
                (Mnemonic.Vmaxps, false, asm => asm.Vmaxps(target, left, memory)),
                (Mnemonic.Vaddps, false, asm => asm.Vaddps(target, left, memory)),
                (Mnemonic.Vpmulld, false, asm => asm.Vpmulld(target, left, memory)),
                (Mnemonic.Vfmadd213ps, false, asm => asm.Vfmadd213ps(target, left, memory)),
                (Mnemonic.Vfmadd231ps, true, asm => asm.Vfmadd231ps(target, left, memory)),
            })
            {
                Instruction found = One(emit);
                Assert.Equal((mnemonic, Zmm(target), Zmm(left), isBroadcast), (found.Mnemonic, found.Op0Register, found.Op1Register, found.IsBroadcast));
                IsAt(memory, found);
            }

            Instruction half = One(asm => asm.StoreBytes256(memory, target, mask)), quarter = One(asm => asm.StoreBytes128(memory, target, mask));
            Assert.Equal((Mnemonic.Vmovdqu8, Register.YMM0 + target, Register.K0 + mask, 32), (half.Mnemonic, half.Op1Register, half.OpMask, half.MemorySize.GetSize()));
            Assert.Equal((Mnemonic.Vmovdqu8, Register.XMM0 + target, Register.K0 + mask, 16), (quarter.Mnemonic, quarter.Op1Register, quarter.OpMask, quarter.MemorySize.GetSize()));
            Instruction some = One(asm => asm.Load(target, memory, mask)), part = One(asm => asm.Store(memory, target, mask)), ahead = One(asm => asm.Prefetch(memory));
            Assert.Equal((Mnemonic.Vmovdqu32, Zmm(target), Register.K0 + mask, true), (some.Mnemonic, some.Op0Register, some.OpMask, some.ZeroingMasking));
            Assert.Equal((Mnemonic.Vmovdqu32, Zmm(target), Register.K0 + mask, false), (part.Mnemonic, part.Op1Register, part.OpMask, part.ZeroingMasking));
            Instruction widened = One(asm => asm.Vpmovzxbd(target, memory, mask));
            Assert.Equal((Mnemonic.Vpmovzxbd, Zmm(target), Register.K0 + mask, true, 16), (widened.Mnemonic, widened.Op0Register, widened.OpMask, widened.ZeroingMasking, widened.MemorySize.GetSize()));
            Instruction toWrite = One(asm => asm.PrefetchForWriting(memory)), past = One(asm => asm.StorePast(memory, target));
            Assert.Equal((Mnemonic.Prefetcht0, Mnemonic.Prefetchw), (ahead.Mnemonic, toWrite.Mnemonic));
            Assert.Equal((Mnemonic.Vmovntps, Zmm(target), Register.None), (past.Mnemonic, past.Op1Register, past.OpMask));
            Assert.All([half, quarter, some, part, widened, ahead, toWrite, past], found => IsAt(memory, found));
            if (memory.Index is not null)
                continue;
            Instruction load = One(asm => asm.Kmovd(mask, memory));
            Assert.Equal((Mnemonic.Kmovd, Register.K0 + mask, 4), (load.Mnemonic, load.Op0Register, load.MemorySize.GetSize()));
            IsAt(memory, load);
        }
    }

    [Fact]
    public void Loads_stores_and_broadcasts_are_encoded_for_all_operands()
    {
        int register = 0;
        foreach (Memory memory in Operands)
        {
            register = (register + 5) % 32;
            Instruction broadcast = One(asm => asm.Vpbroadcastd(register, memory)), load = One(asm => asm.Load(register, memory)), store = One(asm => asm.Store(memory, register));
            Assert.Equal((Mnemonic.Vpbroadcastd, Zmm(register), 4), (broadcast.Mnemonic, broadcast.Op0Register, broadcast.MemorySize.GetSize()));
            Assert.Equal((Mnemonic.Vmovdqu32, Zmm(register), 64), (load.Mnemonic, load.Op0Register, load.MemorySize.GetSize()));
            Assert.Equal((Mnemonic.Vmovdqu32, Zmm(register), OpKind.Memory), (store.Mnemonic, store.Op1Register, store.Op0Kind));
            Assert.All([broadcast, load, store], found => IsAt(memory, found));

            int sums = (register * 3 + 1) % 32;
            Instruction products = One(asm => asm.Vpdpbusd(sums, register, memory));
            Assert.Equal((Mnemonic.Vpdpbusd, Zmm(sums), Zmm(register), 64), (products.Mnemonic, products.Op0Register, products.Op1Register, products.MemorySize.GetSize()));
            IsAt(memory, products);

            int low = register % 16;
            Instruction save = One(asm => asm.StoreXmm(memory, low)), restore = One(asm => asm.LoadXmm(low, memory));
            Assert.Equal((Mnemonic.Movups, Register.XMM0 + low, OpKind.Memory), (save.Mnemonic, save.Op1Register, save.Op0Kind));
            Assert.Equal((Mnemonic.Movups, Register.XMM0 + low), (restore.Mnemonic, restore.Op0Register));
            Assert.All([save, restore], found => IsAt(memory, found));

            Gpr target = (Gpr)low;
            Instruction lea = One(asm => asm.Lea(target, memory)), mov = One(asm => asm.Mov(target, memory));
            Assert.Equal((Mnemonic.Lea, R64(target)), (lea.Mnemonic, lea.Op0Register));
            Assert.Equal((Mnemonic.Mov, R64(target), 8), (mov.Mnemonic, mov.Op0Register, mov.MemorySize.GetSize()));
            Instruction put = One(asm => asm.Mov(memory, target));
            Assert.Equal((Mnemonic.Mov, R64(target), OpKind.Memory), (put.Mnemonic, put.Op1Register, put.Op0Kind));
            Instruction add = One(asm => asm.Add(target, memory)), fetch = One(asm => asm.Prefetcht1(memory));
            Assert.Equal(Mnemonic.Prefetcht1, fetch.Mnemonic);
            Assert.Equal((Mnemonic.Add, R64(target), 8), (add.Mnemonic, add.Op0Register, add.MemorySize.GetSize()));
            Assert.All([lea, mov, put, add, fetch], found => IsAt(memory, found));
        }
    }

    [Fact]
    public void Arithmetic_on_addresses_is_encoded_for_all_registers()
    {
        foreach (Gpr register in s_registers)
        {
            foreach (int value in s_displacements)
            {
                Instruction add = One(asm => asm.Add(register, value)), sub = One(asm => asm.Sub(register, value));
                Assert.Equal((Mnemonic.Add, R64(register), value), (add.Mnemonic, add.Op0Register, (int)(long)add.GetImmediate(1)));
                Assert.Equal((Mnemonic.Sub, R64(register), value), (sub.Mnemonic, sub.Op0Register, (int)(long)sub.GetImmediate(1)));
            }

            foreach (Gpr source in s_registers)
            {
                Instruction mov = One(asm => asm.Mov(register, source));
                Assert.Equal((Mnemonic.Mov, R64(register), R64(source)), (mov.Mnemonic, mov.Op0Register, mov.Op1Register));
            }

            Assert.Equal((Mnemonic.Push, R64(register)), (One(asm => asm.Push(register)).Mnemonic, One(asm => asm.Push(register)).Op0Register));
            Assert.Equal((Mnemonic.Pop, R64(register)), (One(asm => asm.Pop(register)).Mnemonic, One(asm => asm.Pop(register)).Op0Register));
        }

        Assert.Equal(Mnemonic.Vzeroupper, One(asm => asm.Vzeroupper()).Mnemonic);
        Assert.Equal(Mnemonic.Ret, One(asm => asm.Ret()).Mnemonic);
    }

    [Fact]
    public void Jumps_go_where_they_say()
    {
        var asm = new Assembler();
        int forward = asm.JumpForward(Assembler.Condition.Less);
        asm.Align(64);
        int loop = asm.Position;
        asm.Sub(Gpr.Rcx, 1);
        asm.Jump(Assembler.Condition.NotEqual, loop);
        asm.Jump(Assembler.Condition.GreaterOrEqual, loop);
        asm.Land(forward);
        int skip = asm.JumpForward(Assembler.Condition.Equal);
        asm.Land(skip);
        int always = asm.JumpForward();
        asm.Vzeroupper();
        asm.Land(always);
        asm.Ret();
        Instruction[] jumps = [.. Decode(asm.Code.ToArray()).Where(i => i.FlowControl is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch)];
        Assert.Equal([Mnemonic.Jl, Mnemonic.Jne, Mnemonic.Jge, Mnemonic.Je, Mnemonic.Jmp], jumps.Select(j => j.Mnemonic));
        Assert.Equal([jumps[2].NextIP, 64UL, 64UL, jumps[3].NextIP, (ulong)asm.Position - 1], jumps.Select(j => j.NearBranchTarget));
    }

    internal static IEnumerable<Instruction> Decode(byte[] code)
    {
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(code));
        while (decoder.IP < (ulong)code.Length)
            yield return decoder.Decode();
    }

    private static Instruction One(Action<Assembler> emit)
    {
        var asm = new Assembler();
        emit(asm);
        Instruction found = Assert.Single(Decode(asm.Code.ToArray()));
        Assert.False(found.IsInvalid);
        return found;
    }

    private static void IsAt(Memory expected, Instruction found)
    {
        Assert.Equal(R64(expected.Base), found.MemoryBase);
        Assert.Equal(expected.Index is { } index ? R64(index) : Register.None, found.MemoryIndex);
        Assert.Equal(expected.Index is null ? 1 : expected.Scale, found.MemoryIndexScale);
        Assert.Equal(expected.Displacement, (long)found.MemoryDisplacement64);
    }

    private static Register Zmm(int number) => Register.ZMM0 + number;

    private static Register R64(Gpr register) => Register.RAX + (int)register;
}
