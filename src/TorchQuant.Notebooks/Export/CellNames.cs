using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace TorchQuant.Notebooks.Export;

/// <summary>The names that the code of a cell declares for later cells, and those that it declares in blocks of its own.</summary>
internal static class CellNames
{
    /// <summary>Variables, functions and types for later cells.</summary>
    public static IEnumerable<string> Declared(CompilationUnitSyntax cell) => cell.Members.SelectMany(member => member switch
    {
        FieldDeclarationSyntax field => field.Declaration.Variables.Select(variable => variable.Identifier.ValueText),
        MethodDeclarationSyntax method => [method.Identifier.ValueText],
        BaseTypeDeclarationSyntax type => [type.Identifier.ValueText],
        DelegateDeclarationSyntax type => [type.Identifier.ValueText],
        GlobalStatementSyntax { Statement: LocalDeclarationStatementSyntax local } => local.Declaration.Variables.Select(variable => variable.Identifier.ValueText).Concat(Designated(local)),
        GlobalStatementSyntax { Statement: LocalFunctionStatementSyntax function } => [function.Identifier.ValueText],
        GlobalStatementSyntax { Statement: ExpressionStatementSyntax or IfStatementSyntax } global => Designated(global),
        _ => [],
    }).Distinct();

    /// <summary>Types only.</summary>
    public static IEnumerable<string> Types(CompilationUnitSyntax cell) => cell.Members.SelectMany(member => member switch
    {
        BaseTypeDeclarationSyntax type => [type.Identifier.ValueText],
        DelegateDeclarationSyntax type => [type.Identifier.ValueText],
        _ => Array.Empty<string>(),
    });

    /// <summary>What blocks outside functions declare, with the node in which it is known. A program has one scope around them all, so these may not be named as a variable of any cell.</summary>
    public static IEnumerable<(string Name, SyntaxNode Scope)> InBlocks(CompilationUnitSyntax cell) =>
        from node in cell.DescendantNodes(descendIntoChildren: node => !IsFunction(node) && node is not BaseTypeDeclarationSyntax)
        let name = node switch
        {
            VariableDeclaratorSyntax { Parent.Parent: not FieldDeclarationSyntax } variable => variable.Identifier.ValueText,
            ForEachStatementSyntax loop => loop.Identifier.ValueText,
            CatchDeclarationSyntax caught => caught.Identifier.ValueText,
            SingleVariableDesignationSyntax variable => variable.Identifier.ValueText,
            _ => "",
        }
        where name.Length > 0
        let scope = node.AncestorsAndSelf().FirstOrDefault(IsScope)
        where scope is not null
        select (name, scope);

    /// <summary>The places in which a name stands for what was declared by it: not as a member of something else, not as the name of an argument.</summary>
    public static IEnumerable<SyntaxToken> Uses(SyntaxNode root, string name, bool isType) =>
        from token in root.DescendantTokens(descendIntoChildren: node => isType || (node is not BaseTypeDeclarationSyntax && !HasParameter(node, name)))
        where token.IsKind(SyntaxKind.IdentifierToken) && token.ValueText == name && IsUse(token)
        select token;

    private static bool IsUse(SyntaxToken token) => token.Parent switch
    {
        SimpleNameSyntax { Parent: MemberAccessExpressionSyntax member } simple => member.Name != simple,
        SimpleNameSyntax { Parent: MemberBindingExpressionSyntax } => false,
        SimpleNameSyntax { Parent: QualifiedNameSyntax qualified } simple => qualified.Right != simple,
        SimpleNameSyntax { Parent: NameColonSyntax or NameEqualsSyntax } => false,
        SimpleNameSyntax { Parent: AssignmentExpressionSyntax { Parent: InitializerExpressionSyntax } assignment } simple => assignment.Left != simple,
        _ => true,
    };

    private static IEnumerable<string> Designated(SyntaxNode node) =>
        node.DescendantNodes(descendIntoChildren: inner => !IsFunction(inner) && inner is not BlockSyntax).OfType<SingleVariableDesignationSyntax>().Select(variable => variable.Identifier.ValueText);

    private static bool IsScope(SyntaxNode node) =>
        node is BlockSyntax or CommonForEachStatementSyntax or ForStatementSyntax or UsingStatementSyntax or FixedStatementSyntax or CatchClauseSyntax or SwitchStatementSyntax or WhileStatementSyntax;

    private static bool IsFunction(SyntaxNode node) => node is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AnonymousFunctionExpressionSyntax or QueryExpressionSyntax;

    private static bool HasParameter(SyntaxNode node, string name) => node switch
    {
        BaseMethodDeclarationSyntax method => method.ParameterList.Parameters.Any(parameter => parameter.Identifier.ValueText == name),
        LocalFunctionStatementSyntax function => function.ParameterList.Parameters.Any(parameter => parameter.Identifier.ValueText == name),
        SimpleLambdaExpressionSyntax lambda => lambda.Parameter.Identifier.ValueText == name,
        ParenthesizedLambdaExpressionSyntax lambda => lambda.ParameterList.Parameters.Any(parameter => parameter.Identifier.ValueText == name),
        _ => false,
    };
}
