using System.Runtime.InteropServices;

namespace TorchQuant.Kernels;

/// <summary>
/// The threads of GNU's OpenMP, where the process has it already (libtorch brings it). After each of libtorch's parallel operators they spin for milliseconds, and so hold the cores that
/// workers of our own would need: between such operators, they are the ones to ask. They are a team of the calling thread, whose size must stay what libtorch made it: each change ends or starts threads.
/// Called through <c>GOMP_parallel</c>, the entry that GCC compiles a parallel region to. One caller at a time.
/// </summary>
internal static unsafe class OpenMpTeam
{
    /// <summary>Milliseconds until the library is looked for again where it was not found.</summary>
    private const long LookAgain = 5000;

    private static delegate* unmanaged<delegate* unmanaged<void*, void>, void*, uint, uint, void> s_parallel;
    private static delegate* unmanaged<int> s_threadNumber;
    private static long s_nextLook;

    /// <summary>The threads of the team that was asked for last, the first of so many.</summary>
    private static ThreadPlace[] s_members = [];
    private static int s_size;

    /// <summary>Whether the process has the library; looks for it if it had not before.</summary>
    public static bool IsAvailable
    {
        get
        {
            if (s_parallel != null)
                return true;
            if (!OperatingSystem.IsLinux() || Environment.TickCount64 < s_nextLook)
                return false;
            s_nextLook = Environment.TickCount64 + LookAgain;
            return Find();
        }
    }

    /// <summary>
    /// Whether another thread of the calling thread's team is running though no region is: it spins after an operator of libtorch's. False where there is no such library, and for a team that was not known.
    /// Allocates only where a team is larger than all before.
    /// </summary>
    /// <param name="threads">The number of threads of the team.</param>
    public static bool IsSpinning(int threads)
    {
        if (!IsAvailable)
            return false;
        if (s_size == threads && s_members[0].IsCurrent)
        {
            bool isSpinning = false, isWhole = true;
            for (int member = 1; member < threads; member++)
            {
                char state = s_members[member].State;
                isSpinning |= state == ThreadPlace.Running;
                isWhole &= state != ThreadPlace.Gone;
            }

            if (isWhole)
                return isSpinning;
        }

        if (s_members.Length < threads)
            s_members = ThreadPlace.Create(threads);
        s_size = threads;
        Run(threads, &Begin, null);
        return false;

        static void Begin(int thread, void* state) => s_members[thread].Begin();
    }

    /// <summary>Calls body(thread, state) once on each of that many threads, the caller being thread 0, and returns when all have returned.</summary>
    /// <param name="threads">The number of threads of the team.</param>
    /// <param name="body">It must not throw.</param>
    /// <param name="state">Passed to the body.</param>
    public static void Run(int threads, delegate*<int, void*, void> body, void* state)
    {
        var region = new Region { Body = body, State = state };
        s_parallel(&Enter, &region, (uint)threads, 0);
    }

    /// <summary>Moves the others away from the core of the calling thread.</summary>
    public static void KeepApart()
    {
        if (s_size > 0 && s_members[0].IsCurrent)
            ThreadPlace.KeepApart(s_members.AsSpan(1, s_size - 1));
    }

    [UnmanagedCallersOnly]
    private static void Enter(void* region)
    {
        int thread = s_threadNumber();
        if (thread > 0 && thread < s_size)
            s_members[thread].Stay();
        ((Region*)region)->Body(thread, ((Region*)region)->State);
    }

    private static bool Find()
    {
        // Libraries with the same name may be loaded twice; the one with a hash in its name came with libtorch.
        string? path = LoadedLibrary.Path("libgomp-"u8) ?? LoadedLibrary.Path("libgomp."u8);
        if (path is null || !NativeLibrary.TryLoad(path, out nint library)
            || !NativeLibrary.TryGetExport(library, "GOMP_parallel", out nint parallel) || !NativeLibrary.TryGetExport(library, "omp_get_thread_num", out nint number))
            return false;
        s_threadNumber = (delegate* unmanaged<int>)number;
        s_parallel = (delegate* unmanaged<delegate* unmanaged<void*, void>, void*, uint, uint, void>)parallel;
        return true;
    }

    private struct Region
    {
        public delegate*<int, void*, void> Body;
        public void* State;
    }
}
