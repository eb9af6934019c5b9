//! Origin service numbers of JMX checks. spec: metrics-intake §5.4.

/// Service of a JMX check without a number of its own.
const CUSTOM_JMX: u32 = 9;

/// The origin service of the JMX check `name`.
pub(crate) fn jmx_service(name: &str) -> u32 {
    match name {
        "activemq" => 12,
        "cassandra" => 28,
        "confluent_platform" => 40,
        "hazelcast" => 70,
        "hive" => 73,
        "hivemq" => 74,
        "hudi" => 76,
        "ignite" => 83,
        "jboss_wildfly" => 87,
        "kafka" => 90,
        "presto" => 130,
        "solr" => 147,
        "sonarqube" => 148,
        "tomcat" => 163,
        "weblogic" => 172,
        _ => CUSTOM_JMX,
    }
}
