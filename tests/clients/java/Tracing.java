import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Makes the traces of the plan on standard input, then says their ids.
 *
 * <p>The agent implements the API that is called here. It makes the spans of statements by itself, and
 * their ids are not known: they are said to be 0.
 */
public final class Tracing {
  private final Tracer tracer = GlobalOpenTelemetry.getTracer("plan");
  private final List<List<SpanContext>> made = new ArrayList<>();
  private final Connection database;

  private Tracing(Connection database) {
    this.database = database;
  }

  public static void main(String[] arguments) throws Exception {
    JsonObject plan =
        JsonParser.parseReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
            .getAsJsonObject();
    JsonArray traces = new JsonArray();
    try (Connection database = DriverManager.getConnection("jdbc:h2:mem:")) {
      Tracing tracing = new Tracing(database);
      for (JsonElement trace : plan.getAsJsonArray("traces")) {
        traces.add(tracing.make(trace.getAsJsonObject()));
      }
    }
    Thread.sleep(plan.get("linger_ms").getAsLong());
    JsonObject report = new JsonObject();
    report.add("traces", traces);
    System.out.print(report);
  }

  private JsonObject make(JsonObject planned) throws Exception {
    List<Span> spans = new ArrayList<>();
    JsonArray ids = new JsonArray();
    for (JsonElement element : planned.getAsJsonArray("spans")) {
      JsonObject one = element.getAsJsonObject();
      JsonElement parent = one.get("parent");
      if (!one.get("library").isJsonNull()) {
        query(spans.get(parent.getAsInt()), one.get("resource").getAsString());
        ids.add("0");
        continue;
      }
      Span span = start(one, parent.isJsonNull() ? null : spans.get(parent.getAsInt()));
      String decision = planned.get("decision").getAsString();
      if (spans.isEmpty() && !decision.equals("auto")) {
        span.setAttribute("manual." + decision, true);
      }
      spans.add(span);
      ids.add(Long.toUnsignedString(Long.parseUnsignedLong(span.getSpanContext().getSpanId(), 16)));
    }
    for (int index = spans.size() - 1; index >= 0; index--) {
      spans.get(index).end();
    }
    made.add(spans.stream().map(Span::getSpanContext).toList());
    JsonObject report = new JsonObject();
    report.addProperty("trace_id", spans.get(0).getSpanContext().getTraceId());
    report.add("span_ids", ids);
    return report;
  }

  private Span start(JsonObject one, Span parent) {
    SpanBuilder builder = tracer.spanBuilder(one.get("name").getAsString());
    builder.setParent(parent == null ? Context.root() : Context.root().with(parent));
    JsonObject meta = one.getAsJsonObject("meta");
    builder.setSpanKind(
        meta.has("span.kind")
            ? SpanKind.valueOf(meta.get("span.kind").getAsString().toUpperCase(Locale.ROOT))
            : SpanKind.INTERNAL);
    for (JsonElement element : one.getAsJsonArray("links")) {
      JsonObject link = element.getAsJsonObject();
      SpanContext target = made.get(link.get("trace").getAsInt()).get(link.get("span").getAsInt());
      builder.addLink(target, attributes(link));
    }
    Span span = builder.startSpan();
    span.setAttribute("operation.name", one.get("name").getAsString());
    span.setAttribute("service.name", one.get("service").getAsString());
    span.setAttribute("resource.name", one.get("resource").getAsString());
    span.setAttribute("span.type", one.get("type").getAsString());
    for (Map.Entry<String, JsonElement> entry : meta.entrySet()) {
      if (!entry.getKey().equals("span.kind")) {
        span.setAttribute(entry.getKey(), entry.getValue().getAsString());
      }
    }
    for (Map.Entry<String, JsonElement> entry : one.getAsJsonObject("metrics").entrySet()) {
      span.setAttribute(entry.getKey(), entry.getValue().getAsDouble());
    }
    for (JsonElement element : one.getAsJsonArray("events")) {
      JsonObject event = element.getAsJsonObject();
      span.addEvent(event.get("name").getAsString(), attributes(event));
    }
    if (!one.get("error").isJsonNull()) {
      JsonObject error = one.getAsJsonObject("error");
      span.setStatus(StatusCode.ERROR, error.get("message").getAsString());
      span.setAttribute("error.type", error.get("type").getAsString());
    }
    return span;
  }

  private void query(Span parent, String text) throws Exception {
    try (Scope scope = parent.makeCurrent();
        PreparedStatement statement = database.prepareStatement(text)) {
      statement.executeQuery().close();
    }
  }

  private static Attributes attributes(JsonObject of) {
    AttributesBuilder attributes = Attributes.builder();
    for (Map.Entry<String, JsonElement> entry : of.getAsJsonObject("attributes").entrySet()) {
      attributes.put(entry.getKey(), entry.getValue().getAsString());
    }
    return attributes.build();
  }
}
