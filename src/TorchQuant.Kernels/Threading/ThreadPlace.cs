using System.Buffers.Text;
using System.Runtime.InteropServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Where a thread runs that others wait for. Linux may put one that it wakes on its waker's core although another core is idle, and takes milliseconds to notice: longer than most runs. The waker moves it
/// away by forbidding it this core, and the thread lifts that when it runs again. Elsewhere, and where the system refuses, nothing happens.
/// </summary>
internal sealed unsafe partial class ThreadPlace
{
    /// <summary>What <see cref="State"/> is for a thread that runs or could, and for one that has ended.</summary>
    public const char Running = 'R', Gone = '\0';

    /// <summary>Bytes of a set of cores: as many cores as the C library's own sets have.</summary>
    private const int SetBytes = 1024 / 8;

    /// <summary>Enough for the state, which comes after a number and a short name, and for the path of the file that has it.</summary>
    private const int StatusBytes = 128;

    private static readonly bool s_isThere = IsThere();

    private readonly Lock _lock = new();
    private readonly byte[] _allowed = new byte[SetBytes];
    private int _thread;
    private bool _isMoved;

    /// <summary>Whether this is the calling thread.</summary>
    public bool IsCurrent => s_isThere && _thread == GetThread();

    /// <summary>The letter that the system has for what the thread is doing.</summary>
    public char State
    {
        get
        {
            if (!s_isThere)
                return Gone;
            Span<byte> text = stackalloc byte[StatusBytes];
            ReadOnlySpan<byte> folder = "/proc/self/task/"u8;
            folder.CopyTo(text);
            Utf8Formatter.TryFormat(_thread, text[folder.Length..], out int digits);
            "/stat\0"u8.CopyTo(text[(folder.Length + digits)..]);
            fixed (byte* start = text)
            {
                int file = Open(start, 0);
                if (file < 0)
                    return Gone;
                nint bytes = Read(file, start, StatusBytes);
                _ = Close(file);
                // The name before it is in parentheses and may itself have some; numbers alone follow.
                int at = text[..(int)Math.Max(0, bytes)].LastIndexOf((byte)')') + 2;
                return at > 1 && at < bytes ? (char)text[at] : Gone;
            }
        }
    }

    /// <summary>So many, of no thread yet.</summary>
    public static ThreadPlace[] Create(int count) => [.. Enumerable.Range(0, count).Select(static _ => new ThreadPlace())];

    /// <summary>Moves threads away from the core of the calling thread, as far as they may run elsewhere.</summary>
    public static void KeepApart(ReadOnlySpan<ThreadPlace> threads)
    {
        int core = s_isThere ? GetCore() : -1;
        foreach (ThreadPlace thread in threads)
        {
            if ((uint)core < 8 * SetBytes && thread._thread > 0)
                thread.KeepFrom(core);
        }
    }

    /// <summary>Called by the thread when it begins.</summary>
    public void Begin() => _thread = s_isThere ? GetThread() : 0;

    /// <summary>Called by the thread while it runs: lifts what <see cref="KeepApart"/> forbade.</summary>
    public void Stay()
    {
        if (!Volatile.Read(ref _isMoved))
            return;
        lock (_lock)
        {
            fixed (byte* allowed = _allowed)
                _ = SetAffinity(_thread, SetBytes, allowed);
            Volatile.Write(ref _isMoved, false);
        }
    }

    private void KeepFrom(int core)
    {
        byte* others = stackalloc byte[SetBytes];
        lock (_lock)
        {
            fixed (byte* allowed = _allowed)
            {
                if (!_isMoved && GetAffinity(_thread, SetBytes, allowed) < 0)
                    return;
            }

            _allowed.CopyTo(new Span<byte>(others, SetBytes));
            others[core / 8] &= (byte)~(1 << (core % 8));
            if (new ReadOnlySpan<byte>(others, SetBytes).ContainsAnyExcept((byte)0) && SetAffinity(_thread, SetBytes, others) == 0)
                Volatile.Write(ref _isMoved, true);
        }
    }

    private static bool IsThere()
    {
        try
        {
            return OperatingSystem.IsLinux() && BitConverter.IsLittleEndian && GetCore() >= 0 && GetThread() > 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // A C library without them.
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "sched_getcpu"), SuppressGCTransition]
    private static partial int GetCore();

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int GetThread();

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static partial int GetAffinity(int thread, nint bytes, byte* cores);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint bytes, byte* cores);

    [LibraryImport("libc", EntryPoint = "open")]
    private static partial int Open(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int file, byte* buffer, nint bytes);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
