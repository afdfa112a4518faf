using System.Text;
using System.Text.Json;

namespace Agent.Configuration;

/// <summary>
/// Reads JSON with comments and trailing commas into nodes that know their line and column, which the framework's configuration and
/// document types do not keep.
/// </summary>
internal ref struct ConfigParser
{
    private readonly ReadOnlySpan<byte> _json;
    private readonly string _file;
    private readonly List<ConfigProblem> _problems;
    private Utf8JsonReader _reader;
    private int _line = 1;
    private int _lineStart;
    private int _scanned;

    private ConfigParser(ReadOnlySpan<byte> json, string file, List<ConfigProblem> problems)
    {
        _json = json;
        _file = file;
        _problems = problems;
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
    }

    /// <summary>The document's root, or <c>null</c> if it is not JSON; duplicate keys and bad syntax are added to <paramref name="problems"/>.</summary>
    public static ConfigNode? Parse(ReadOnlySpan<byte> json, string file, List<ConfigProblem> problems)
    {
        if (json.StartsWith(Encoding.UTF8.Preamble))
        {
            json = json[Encoding.UTF8.Preamble.Length..];
        }

        var parser = new ConfigParser(json, file, problems);
        try
        {
            parser._reader.Read();
            var root = parser.ReadValue("");
            while (parser._reader.Read())
            {
                // Anything but comments after the root makes the reader throw.
            }

            return root;
        }
        catch (JsonException e)
        {
            var line = (int)(e.LineNumber ?? 0) + 1;
            // The reader's own text ends with a position counted from 0; the location says it counted from 1.
            var message = e.Message.Split(" LineNumber:")[0];
            problems.Add(new ConfigProblem(new ConfigLocation(file, line, (int)(e.BytePositionInLine ?? 0) + 1), "", $"not JSON: {message}"));
            return null;
        }
        catch (InvalidOperationException)
        {
            problems.Add(new ConfigProblem(parser.Locate(), "", "not JSON: a string is not valid UTF-8. Save the file as UTF-8."));
            return null;
        }
    }

    private ConfigNode ReadValue(string path)
    {
        var location = Locate();
        switch (_reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadObject(path, location);
            case JsonTokenType.StartArray:
                var array = new ConfigNode(ConfigKind.Array, location);
                while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
                {
                    array.Items.Add(ReadValue($"{path}[{array.Items.Count}]"));
                }

                return array;
            case JsonTokenType.String:
                return new ConfigNode(ConfigKind.String, location, _reader.GetString()!);
            case JsonTokenType.Number:
                return new ConfigNode(ConfigKind.Number, location, Encoding.UTF8.GetString(_reader.ValueSpan));
            case JsonTokenType.True or JsonTokenType.False:
                return new ConfigNode(ConfigKind.Boolean, location, _reader.TokenType == JsonTokenType.True ? "true" : "false");
            default:
                return new ConfigNode(ConfigKind.Null, location, "null");
        }
    }

    private ConfigNode ReadObject(string path, ConfigLocation location)
    {
        var node = new ConfigNode(ConfigKind.Object, location);
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndObject)
        {
            var keyLocation = Locate();
            var name = _reader.GetString()!;
            var keyPath = ConfigPath.Append(path, name);
            _reader.Read();
            var value = ReadValue(keyPath);
            if (node.Members.Find(m => m.Name == name) is { } first)
            {
                _problems.Add(new ConfigProblem(keyLocation, keyPath, $"set twice, first in line {first.Location.Line}; remove one."));
            }
            else
            {
                node.Members.Add(new ConfigMember(name, keyLocation, value));
            }
        }

        return node;
    }

    /// <summary>The present token's place; tokens only move forward, so each line is counted once.</summary>
    private ConfigLocation Locate()
    {
        var start = (int)_reader.TokenStartIndex;
        for (; _scanned < start; _scanned++)
        {
            if (_json[_scanned] == '\n')
            {
                _line++;
                _lineStart = _scanned + 1;
            }
        }

        return new ConfigLocation(_file, _line, Encoding.UTF8.GetCharCount(_json[_lineStart..start]) + 1);
    }
}
