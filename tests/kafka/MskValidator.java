import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.security.auth.callback.Callback;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/** Asks aws_stub.py whether a token is good, as MSK asks IAM: "principal expiry-millis" or a refusal. */
public class MskValidator implements AuthenticateCallbackHandler {
    private final HttpClient client = HttpClient.newHttpClient();

    record Token(String value, Long startTimeMs, long lifetimeMs, String principalName, Set<String> scope)
            implements OAuthBearerToken {}

    @Override
    public void configure(Map<String, ?> settings, String mechanism, List<AppConfigurationEntry> entries) {}

    @Override
    public void close() {}

    @Override
    public void handle(Callback[] callbacks) {
        for (Callback each : callbacks) {
            if (each instanceof OAuthBearerValidatorCallback callback) validate(callback);
        }
    }

    private void validate(OAuthBearerValidatorCallback callback) {
        try {
            URI stub = URI.create(System.getenv("PENSTOCK_TEST_AWS") + "/validate");
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(stub).POST(HttpRequest.BodyPublishers.ofString(callback.tokenValue())).build(),
                    HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() == 200) {
                String[] words = answer.body().split(" ");
                callback.token(new Token(callback.tokenValue(), System.currentTimeMillis(), Long.parseLong(words[1]), words[0], Set.of()));
                return;
            }
        } catch (Exception error) {
            System.err.println(error);
        }
        callback.error("invalid_token", null, null);
    }
}
