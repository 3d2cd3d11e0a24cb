using Xunit.Sdk;
using Xunit.v3;

// TorchSharp 0.107 frees the native number of `tensor * 2` when the garbage collector runs during the call, which other threads' allocations cause: one call in some ten thousands then
// computes with another number. One test at a time, and no concurrent collection (see the project file), keep the collector out of native calls.
[assembly: Parallelization(Mode = ParallelMode.None)]
