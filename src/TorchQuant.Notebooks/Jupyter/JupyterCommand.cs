using System.CommandLine;
using System.Runtime.InteropServices;
using TorchQuant.Notebooks.Run;

namespace TorchQuant.Notebooks.Jupyter;

/// <summary>The commands <c>jupyter install</c> and <c>jupyter kernel</c>.</summary>
internal static class JupyterCommand
{
    public static Command Create() => new("jupyter", "Makes .NET a kernel of Jupyter.") { Install(), Kernel() };

    private static Command Install()
    {
        var user = new Option<bool>("--user") { Description = "For this user (the default)." };
        var prefix = new Option<string?>("--prefix") { Description = "Into an installation: PREFIX/share/jupyter/kernels." };
        var path = new Option<string?>("--path") { Description = "Into this folder of kernel specs." };
        var name = new Option<string?>("--name") { Description = "Install one kernel under this name. '.net-csharp' takes over the notebooks of .NET Interactive." };
        var language = LanguageOption("The language of the kernel; without it and --name, each language gets its kernel.");
        var remote = AllowRemote();
        var force = new Option<bool>("--force") { Description = "Replace another program's kernel of the same name." };
        var command = new Command("install", "Writes the kernel specs by which Jupyter finds the kernels.") { user, prefix, path, name, language, remote, force };
        command.SetAction(result =>
        {
            var errors = result.InvocationConfiguration.Error;
            if (new[] { result.GetValue(user), result.GetValue(prefix) is not null, result.GetValue(path) is not null }.Count(given => given) > 1)
                return Refuse(errors, "--user, --prefix and --path exclude each other.");
            try
            {
                var folder = result.GetValue(path) is { } given ? Path.GetFullPath(given) : result.GetValue(prefix) is { } root ? KernelFolders.Of(root) : KernelFolders.User;
                foreach (var (spec, of) in Specs(result.GetValue(name), result.GetValue(language)))
                    result.InvocationConfiguration.Output.WriteLine($"{of.DisplayName}: {KernelSpec.Install(folder, spec, of, result.GetValue(remote), result.GetValue(force))}");
                return ExitCodes.Success;
            }
            catch (JupyterException e)
            {
                return Refuse(errors, e.Message);
            }
        });
        return command;
    }

    private static Command Kernel()
    {
        var file = new Argument<string>("connection-file") { Description = "The file with ports and key that the front end wrote." };
        var language = LanguageOption("The language that cells begin in (csharp).");
        var remote = AllowRemote();
        var command = new Command("kernel", "Runs a kernel: what the kernel specs call.") { file, language, remote };
        command.SetAction(async (result, _) =>
        {
            try
            {
                var of = KernelLanguage.All.FirstOrDefault(l => l.Argument == result.GetValue(language)) ?? KernelLanguage.All[0];
                await RunAsync(ConnectionInfo.Load(result.GetRequiredValue(file), result.GetValue(remote)), of).ConfigureAwait(false);
                return ExitCodes.Success;
            }
            catch (JupyterException e)
            {
                return Refuse(result.InvocationConfiguration.Error, e.Message);
            }
        });
        return command;
    }

    private static async Task RunAsync(ConnectionInfo connection, KernelLanguage language)
    {
        using var kernel = new JupyterKernel(connection, language, Environment.CurrentDirectory);
        using var parent = new ParentProcess(kernel.End);
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
        {
            signal.Cancel = true;
            kernel.Interrupt();
        });
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            kernel.End();
        });
        await kernel.RunAsync().ConfigureAwait(false);
    }

    private static IEnumerable<(string Name, KernelLanguage Language)> Specs(string? name, string? language)
    {
        var of = KernelLanguage.All.FirstOrDefault(l => l.Argument == language);
        if (name is null) return (of is null ? KernelLanguage.All : [of]).Select(l => (l.SpecName, l));
        // Jupyter's own rule for names; they become folders.
        if (name.Length == 0 || name is "." or ".." || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            throw new JupyterException($"--name {name}: a kernel's name has letters, digits, '.', '-' and '_' only.");
        of ??= KernelLanguage.All.FirstOrDefault(l => name == l.InteractiveName || name == l.SpecName);
        if (of is null) throw new JupyterException($"--name {name}: say with --language which language that kernel is to have ({string.Join(", ", KernelLanguage.All.Select(l => l.Argument))}).");
        return [(name, of)];
    }

    private static Option<string?> LanguageOption(string description)
    {
        var option = new Option<string?>("--language") { Description = description };
        option.AcceptOnlyFromAmong([.. KernelLanguage.All.Select(l => l.Argument)]);
        return option;
    }

    private static Option<bool> AllowRemote() => new("--allow-remote") { Description = "Let the kernel listen on addresses that other machines reach, if a front end asks for that." };

    private static int Refuse(TextWriter errors, string message)
    {
        errors.WriteLine(message);
        return ExitCodes.Usage;
    }
}
