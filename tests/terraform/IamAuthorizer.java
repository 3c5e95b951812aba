import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.Endpoint;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.server.authorizer.AclCreateResult;
import org.apache.kafka.server.authorizer.AclDeleteResult;
import org.apache.kafka.server.authorizer.Action;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.server.authorizer.AuthorizationResult;
import org.apache.kafka.server.authorizer.Authorizer;
import org.apache.kafka.server.authorizer.AuthorizerServerInfo;

/**
 * Asks doubles.py whether a role may do a thing, as MSK's brokers ask IAM. Who came without a login is the harness, or the broker itself,
 * and may all. Each question is asked once.
 */
public class IamAuthorizer implements Authorizer {
    private final HttpClient client = HttpClient.newHttpClient();
    private final Map<String, AuthorizationResult> known = new ConcurrentHashMap<>();

    @Override
    public List<AuthorizationResult> authorize(AuthorizableRequestContext context, List<Action> actions) {
        List<AuthorizationResult> results = new ArrayList<>();
        for (Action action : actions) {
            String question = String.join("\t", context.principal().getName(), action.resourcePattern().resourceType().name(),
                    action.operation().name(), action.resourcePattern().name(), action.logIfDenied() ? "must" : "may");
            boolean ours = context.principal().equals(KafkaPrincipal.ANONYMOUS);
            results.add(ours ? AuthorizationResult.ALLOWED : known.computeIfAbsent(question, this::ask));
        }
        return results;
    }

    private AuthorizationResult ask(String question) {
        try {
            URI stub = URI.create(System.getenv("PENSTOCK_TEST_AWS") + "/authorize");
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(stub).POST(HttpRequest.BodyPublishers.ofString(question)).build(),
                    HttpResponse.BodyHandlers.ofString());
            return answer.statusCode() == 200 ? AuthorizationResult.ALLOWED : AuthorizationResult.DENIED;
        } catch (IOException | InterruptedException error) {
            System.err.println(error);
            return AuthorizationResult.DENIED;
        }
    }

    /** Kafka lets who may write anywhere write idempotently; AWS's table wants WriteDataIdempotently said. */
    @Override
    public AuthorizationResult authorizeByResourceType(AuthorizableRequestContext context, AclOperation op, ResourceType type) {
        return AuthorizationResult.DENIED;
    }

    @Override
    public Map<Endpoint, ? extends CompletionStage<Void>> start(AuthorizerServerInfo server) {
        Map<Endpoint, CompletionStage<Void>> ready = new HashMap<>();
        for (Endpoint each : server.endpoints()) ready.put(each, CompletableFuture.completedFuture(null));
        return ready;
    }

    @Override
    public void configure(Map<String, ?> settings) {}

    @Override
    public void close() {}

    @Override
    public List<? extends CompletionStage<AclCreateResult>> createAcls(AuthorizableRequestContext context, List<AclBinding> bindings) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<? extends CompletionStage<AclDeleteResult>> deleteAcls(AuthorizableRequestContext context, List<AclBindingFilter> filters) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Iterable<AclBinding> acls(AclBindingFilter filter) {
        throw new UnsupportedOperationException();
    }
}
