using LlmOs.Contracts;

namespace LlmOs.Web.Language;

public sealed partial record Texts
{
    /// <summary>The words of the pages of data sets.</summary>
    public DataTexts Data => Tag == PageLanguages.Chinese ? DataTexts.Chinese : DataTexts.English;
}

/// <summary>The words of the pages of data sets. A text that a language lacks does not compile.</summary>
public sealed record DataTexts
{
    public static DataTexts English { get; } = new()
    {
        Title = "Data sets",
        NoneYet = "There are no data sets yet.",
        Make = "Make a data set",
        NameHelp = "Lower-case letters, digits, '.', '_' and '-'. A name that is there gets another version.",
        File = "File",
        FileHelp = "Choose a file, or drop it here: JSONL, JSON, CSV, TSV, Parquet or text, also packed as gzip or zip.",
        SourceHelp = "Or where the server finds it: hf:org/name, https:…, file:/path beneath an import folder.",
        License = "Licence",
        Rows = "Rows",
        Splits = "Splits",
        AllSplits = "all",
        Columns = "Columns",
        Type = "Type",
        Empty = "Empty",
        Different = "Different values",
        Lengths = "Lengths",
        LengthsOf = "Rows by length of {0}",
        Preview = "First rows",
        MadeOf = "Made of {0}",
        Shape = "Rows for training",
        ShapeOf = "{0}, for {1}. Of the first {2} rows {3} do not fit.",
        NoShape = "The columns are those of no shape that is known.",
        FaultOf = "Row {0}: {1} {2}",
        Sending = "Sending {0} of {1}",
        OneOfBoth = "Choose a file, or say where it is.",
    };

    public static DataTexts Chinese { get; } = new()
    {
        Title = "数据集",
        NoneYet = "还没有数据集。",
        Make = "新建数据集",
        NameHelp = "小写字母、数字、“.”、“_”和“-”。已有的名称会得到新版本。",
        File = "文件",
        FileHelp = "选择文件或拖放到此处：JSONL、JSON、CSV、TSV、Parquet 或文本，也可为 gzip 或 zip。",
        SourceHelp = "或服务器可找到的位置：hf:org/name、https:…、导入文件夹下的 file:/path。",
        License = "许可证",
        Rows = "行数",
        Splits = "划分",
        AllSplits = "全部",
        Columns = "列",
        Type = "类型",
        Empty = "空值",
        Different = "不同的值",
        Lengths = "长度",
        LengthsOf = "{0} 的长度分布",
        Preview = "前几行",
        MadeOf = "来自 {0}",
        Shape = "训练数据行",
        ShapeOf = "{0}，可用于 {1}。前 {2} 行中有 {3} 行不合格。",
        NoShape = "这些列不属于任何已知的格式。",
        FaultOf = "第 {0} 行：{1} {2}",
        Sending = "正在发送 {0}，共 {1}",
        OneOfBoth = "请选择文件，或说明其位置。",
    };

    public required string Title { get; init; }

    public required string NoneYet { get; init; }

    public required string Make { get; init; }

    public required string NameHelp { get; init; }

    public required string File { get; init; }

    public required string FileHelp { get; init; }

    public required string SourceHelp { get; init; }

    public required string License { get; init; }

    public required string Rows { get; init; }

    public required string Splits { get; init; }

    public required string AllSplits { get; init; }

    public required string Columns { get; init; }

    public required string Type { get; init; }

    public required string Empty { get; init; }

    public required string Different { get; init; }

    public required string Lengths { get; init; }

    public required string LengthsOf { get; init; }

    public required string Preview { get; init; }

    public required string MadeOf { get; init; }

    public required string Shape { get; init; }

    public required string ShapeOf { get; init; }

    public required string NoShape { get; init; }

    public required string FaultOf { get; init; }

    public required string Sending { get; init; }

    public required string OneOfBoth { get; init; }
}
