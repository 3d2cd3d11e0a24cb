"""jupyter_kernel_test, Jupyter's own suite for kernels, with samples in C# and F#. Run by .ci/jupyter, which makes the kernel specs findable."""
import unittest

import jupyter_kernel_test


class CSharpTests(jupyter_kernel_test.KernelTests):
    kernel_name = "torchquant-csharp"
    language_name = "C#"
    file_extension = ".cs"
    code_hello_world = 'Console.WriteLine("hello, world");'
    code_stderr = 'Console.Error.WriteLine("wrong");'
    completion_samples = [
        {"text": "Console.WriteL", "matches": {"WriteLine"}},
        {"text": "string.IsNullOrW", "matches": {"IsNullOrWhiteSpace"}},
    ]
    complete_code_samples = ["1 + 1", "int F(int x)\n{\n    return x;\n}", "#!fsharp\n1"]
    incomplete_code_samples = ["int F(int x)\n{", "Console.WriteLine(", "/* comment"]
    invalid_code_samples = ["int x = );", "class 5 { }"]
    code_generate_error = 'throw new InvalidOperationException("broken");'
    code_execute_result = [
        {"code": "20 + 1", "result": "21"},
        {"code": '"a" + "b"', "result": "ab"},
        {"code": 'HTML("<b>bold</b>")', "mime": "text/html", "result": "<b>bold</b>"},
    ]
    code_display_data = [
        {"code": 'display(HTML("<b>bold</b>"));', "mime": "text/html"},
        {"code": '"<svg/>".DisplayAs("image/svg+xml");', "mime": "image/svg+xml"},
    ]
    code_history_pattern = "20 + *"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "Console.WriteLine"


class FSharpTests(jupyter_kernel_test.KernelTests):
    kernel_name = "torchquant-fsharp"
    language_name = "F#"
    file_extension = ".fs"
    code_hello_world = 'printfn "hello, world"'
    code_stderr = 'eprintfn "wrong"'
    completion_samples = [
        {"text": "List.mapFoldB", "matches": {"mapFoldBack"}},
        {"text": "Console.WriteL", "matches": {"WriteLine"}},
    ]
    complete_code_samples = ["1 + 1", "let f x =\n    x + 1\n", "#!csharp\n1"]
    incomplete_code_samples = ["let f x =", "(1 + 2", "(* comment"]
    invalid_code_samples = ["let x = )"]
    code_generate_error = 'failwith "broken" |> ignore'
    code_execute_result = [
        {"code": "20 + 1", "result": "21"},
        {"code": '"a" + "b"', "result": "ab"},
        {"code": 'HTML "<b>bold</b>"', "mime": "text/html", "result": "<b>bold</b>"},
    ]
    code_display_data = [{"code": 'display(HTML "<b>bold</b>") |> ignore', "mime": "text/html"}]
    code_history_pattern = "20 + *"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "List.map"


if __name__ == "__main__":
    unittest.main(verbosity=2)
