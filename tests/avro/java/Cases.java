import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.*;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.avro.*;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.file.*;
import org.apache.avro.generic.*;
import org.apache.avro.io.*;

/**
 * Apache's Java implementation on behalf of java_agree.py; a JSON object a line in, one out.
 *
 * decode: {"writer", "reader"?, "hex", "ours"?} gives {"value": Avro's JSON, "plain": with logical types as Java has them,
 * "hex", "blocked": written again, in one block and in many, "left": bytes after the end} and, where "ours" is given, what is
 * read from that under the reader's schema. read: {"file"} gives the file's datums. write: {"schema", "codec", "datums", "file"}.
 */
public class Cases {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final GenericData BARE = new GenericData(), LOGICAL = new GenericData();
  private static final HexFormat HEX = HexFormat.of();

  public static void main(String[] verbs) throws Exception {
    for (Conversion<?> one : List.of(new TimeConversions.DateConversion(), new TimeConversions.TimeMillisConversion(),
        new TimeConversions.TimeMicrosConversion(), new TimeConversions.TimestampMillisConversion(),
        new TimeConversions.TimestampMicrosConversion(), new TimeConversions.TimestampNanosConversion(),
        new TimeConversions.LocalTimestampMillisConversion(), new TimeConversions.LocalTimestampMicrosConversion(),
        new TimeConversions.LocalTimestampNanosConversion(), new Conversions.DecimalConversion(),
        new Conversions.UUIDConversion()))
      LOGICAL.addLogicalTypeConversion(one);
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = in.readLine()) != null;) {
      ObjectNode answer = JSON.createObjectNode();
      JsonNode asked = JSON.readTree(line);
      try {
        switch (verbs[0]) {
          case "decode" -> decode(asked, answer);
          case "read" -> read(asked, answer);
          case "write" -> write(asked);
          default -> throw new IllegalArgumentException(verbs[0]);
        }
      } catch (Exception | StackOverflowError error) {
        answer.removeAll().put("error", error.toString());
      }
      out.print(answer + "\n");
    }
    out.flush();
  }

  private static Schema schema(JsonNode json) {
    return new Schema.Parser().parse(json.toString());
  }

  private static Object datum(GenericData model, Schema writer, Schema reader, byte[] bytes, int[] left) throws IOException {
    BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(bytes, null);
    Object value = new GenericDatumReader<Object>(writer, reader, model).read(null, decoder);
    left[0] = decoder.inputStream().available();
    return value;
  }

  private static void decode(JsonNode asked, ObjectNode answer) throws IOException {
    Schema writer = schema(asked.get("writer"));
    Schema reader = asked.hasNonNull("reader") ? schema(asked.get("reader")) : writer;
    byte[] bytes = HEX.parseHex(asked.get("hex").asText());
    int[] left = {0};
    Object value = datum(BARE, writer, reader, bytes, left);
    answer.put("left", left[0]);
    answer.set("value", json(reader, value));
    answer.put("hex", HEX.formatHex(written(reader, value, false)));
    answer.put("blocked", HEX.formatHex(written(reader, value, true)));
    if (asked.has("ours")) {
      byte[] ours = HEX.parseHex(asked.get("ours").asText());
      answer.set("ours", json(reader, datum(BARE, reader, reader, ours, left)));
      answer.put("ours_left", left[0]);
      try {
        answer.set("plain", plain(reader, datum(LOGICAL, reader, reader, ours, left)));
      } catch (RuntimeException error) {
        answer.put("plain_error", error.toString());
      }
    }
  }

  private static byte[] written(Schema schema, Object value, boolean blocked) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    EncoderFactory factory = new EncoderFactory().configureBlockSize(64);
    BinaryEncoder encoder = blocked ? factory.blockingBinaryEncoder(out, null) : factory.binaryEncoder(out, null);
    new GenericDatumWriter<Object>(schema, BARE).write(value, encoder);
    encoder.flush();
    return out.toByteArray();
  }

  private static JsonNode json(Schema schema, Object value) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    JsonEncoder encoder = EncoderFactory.get().jsonEncoder(schema, out);
    new GenericDatumWriter<Object>(schema, BARE).write(value, encoder);
    encoder.flush();
    return JSON.readTree(out.toByteArray());
  }

  private static JsonNode plain(Schema schema, Object value) {
    switch (schema.getType()) {
      case UNION:
        return plain(schema.getTypes().get(LOGICAL.resolveUnion(schema, value)), value);
      case RECORD:
        ObjectNode record = JSON.createObjectNode();
        for (Schema.Field field : schema.getFields())
          record.set(field.name(), plain(field.schema(), ((GenericRecord) value).get(field.pos())));
        return record;
      case ARRAY:
        ArrayNode items = JSON.createArrayNode();
        for (Object item : (Collection<?>) value) items.add(plain(schema.getElementType(), item));
        return items;
      case MAP:
        ObjectNode map = JSON.createObjectNode();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet())
          map.set(entry.getKey().toString(), plain(schema.getValueType(), entry.getValue()));
        return map;
      case FIXED:
        if (!(value instanceof GenericFixed)) return JSON.valueToTree(value.toString());
        return JSON.valueToTree(new String(((GenericFixed) value).bytes(), StandardCharsets.ISO_8859_1));
      case BYTES:
        if (value instanceof java.math.BigDecimal number) return JSON.valueToTree(number.toPlainString());
        return JSON.valueToTree(new String(((ByteBuffer) value).array(), StandardCharsets.ISO_8859_1));
      case STRING, ENUM:
        return JSON.valueToTree(value.toString());
      default:
        return JSON.valueToTree(value instanceof java.time.temporal.Temporal ? value.toString() : value);
    }
  }

  private static void read(JsonNode asked, ObjectNode answer) throws IOException {
    ArrayNode datums = answer.putArray("datums");
    try (DataFileReader<Object> file = new DataFileReader<>(new File(asked.get("file").asText()), new GenericDatumReader<>(null, null, BARE))) {
      answer.put("codec", file.getMetaString("avro.codec"));
      for (Object datum : file) datums.add(HEX.formatHex(written(file.getSchema(), datum, false)));
    }
  }

  private static void write(JsonNode asked) throws IOException {
    Schema schema = schema(asked.get("schema"));
    try (DataFileWriter<Object> file = new DataFileWriter<>(new GenericDatumWriter<>(schema, BARE))) {
      file.setCodec(CodecFactory.fromString(asked.get("codec").asText())).setSyncInterval(2000);
      file.create(schema, new File(asked.get("file").asText()));
      for (JsonNode datum : asked.get("datums")) file.appendEncoded(ByteBuffer.wrap(HEX.parseHex(datum.asText())));
    }
  }
}
