namespace TorchQuant.Notebooks.Export;

/// <summary>What stands in a script for what a notebook's host gives its cells: values are printed as text, an updated one again when it has changed for a second.</summary>
internal static class DisplaySupport
{
    private static readonly string[] s_names = ["display", "Display", "DisplayAs", "DisplayedValue", "HTML", "GetInputAsync"];

    /// <param name="names">The names that the program uses.</param>
    /// <exception cref="ExportException">It uses the host's formatters.</exception>
    public static string CSharp(IReadOnlySet<string> names)
    {
        if (names.Contains("Formatter")) throw new ExportException("The notebook registers formatters, which a script has none of: it prints values by their ToString. Take the calls of Formatter out of a copy of the notebook, and export that.");
        return !s_names.Any(names.Contains) ? "" : """
            /// <summary>What a notebook shows, this program prints.</summary>
            static class Notebook
            {
                private static readonly object s_gate = new();
                private static DisplayedValue s_waiting;

                static Notebook() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Print(null);

                public static DisplayedValue display(object value, params string[] mimeTypes)
                {
                    if (value is DisplayedValue already) return already;
                    var shown = new DisplayedValue { Value = value };
                    Print(shown);
                    return shown;
                }

                public static DisplayedValue Display(this object value, params string[] mimeTypes) => display(value, mimeTypes);

                public static DisplayedValue DisplayAs(this string value, string mimeType) => display(value);

                public static string HTML(string content) => content;

                public static Task<string> GetInputAsync(string prompt = "", bool isPassword = false)
                {
                    Console.Write(prompt + " ");
                    return Task.FromResult(Console.ReadLine() ?? "");
                }

                // A value that is updated often is printed once a second, and in its last state.
                internal static void Print(DisplayedValue shown, bool canWait = false)
                {
                    lock (s_gate)
                    {
                        if (canWait && Environment.TickCount64 - shown.Printed < 1000)
                        {
                            s_waiting = shown;
                            return;
                        }
                        if (s_waiting is not null && s_waiting != shown) Console.WriteLine(Text(s_waiting.Value));
                        s_waiting = null;
                        if (shown is null) return;
                        Console.WriteLine(Text(shown.Value));
                        shown.Printed = Environment.TickCount64;
                    }
                }

                private static string Text(object value) => value switch
                {
                    null => "<null>",
                    IEnumerable items when value.ToString() == value.GetType().ToString() => "[" + string.Join(", ", items.Cast<object>().Select(Text)) + "]",
                    _ => value.ToString(),
                };
            }

            /// <summary>A value that was printed and can be printed anew.</summary>
            sealed class DisplayedValue
            {
                internal object Value;
                internal long Printed;

                public void Update(object value)
                {
                    Value = value;
                    Notebook.Print(this, canWait: true);
                }
            }

            """;
    }
}
