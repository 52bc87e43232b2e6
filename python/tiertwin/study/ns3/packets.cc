// The same network in ns-3: point-to-point links with drop-tail queues, UDP over IPv4, routes by a table of its own.
//
//   packets SCENARIO ARRIVALS DELAYS                             plays given arrivals
//   packets SCENARIO ARRIVALS DELAYS SEED PPS MEAN_BYTES STOP_NS   draws them by ns-3's own generators, and writes them
//
// SCENARIO  text: nodes, links (tail head bit/s ns packets), flows (number of links, links).
// ARRIVALS  int64 triples (time ns, flow, bytes on the wire), each flow's in order of time.
// DELAYS    int64 of each arrival, written: ns, or -1 where the packet was lost.
// Standard output: CPU seconds of the run, packets sent by all links.
#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <iostream>
#include <string>
#include <unordered_map>
#include <vector>

#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-module.h"

using namespace ns3;

namespace {

constexpr uint32_t kHeaders = 30;  // UDP 8, IPv4 20, PPP 2
constexpr uint16_t kPort = 9;

Ipv4Address flowAddress(size_t flow) { return Ipv4Address(0x0B000000u + uint32_t(flow) + 1); }

// One route a flow at each node of its path, found by its destination address.
class PathRouting : public Ipv4RoutingProtocol {
  public:
    void Forward(Ipv4Address to, Ptr<NetDevice> device, Ipv4Address source) {
        Ptr<Ipv4Route> route = Create<Ipv4Route>();
        route->SetDestination(to);
        route->SetGateway(Ipv4Address::GetZero());
        route->SetSource(source);
        route->SetOutputDevice(device);
        m_routes[to.Get()] = route;
    }
    void Deliver(Ipv4Address to) { m_routes[to.Get()] = nullptr; }

    Ptr<Ipv4Route> RouteOutput(Ptr<Packet>, const Ipv4Header& header, Ptr<NetDevice>, Socket::SocketErrno& error) override {
        error = Socket::ERROR_NOTERROR;
        return m_routes.at(header.GetDestination().Get());
    }
    bool RouteInput(Ptr<const Packet> packet, const Ipv4Header& header, Ptr<const NetDevice> device,
                    const UnicastForwardCallback& forward, const MulticastForwardCallback&,
                    const LocalDeliverCallback& deliver, const ErrorCallback&) override {
        const Ptr<Ipv4Route> route = m_routes.at(header.GetDestination().Get());
        if (route)
            forward(route, packet, header);
        else
            deliver(packet, header, m_ipv4->GetInterfaceForDevice(device));
        return true;
    }
    void NotifyInterfaceUp(uint32_t) override {}
    void NotifyInterfaceDown(uint32_t) override {}
    void NotifyAddAddress(uint32_t, Ipv4InterfaceAddress) override {}
    void NotifyRemoveAddress(uint32_t, Ipv4InterfaceAddress) override {}
    void SetIpv4(Ptr<Ipv4> ipv4) override { m_ipv4 = ipv4; }
    void PrintRoutingTable(Ptr<OutputStreamWrapper>, Time::Unit) const override {}

  private:
    Ptr<Ipv4> m_ipv4;
    std::unordered_map<uint32_t, Ptr<Ipv4Route>> m_routes;
};

struct Arrival {
    int64_t time, flow, bytes;
};

std::vector<Arrival> arrivals;
std::vector<std::vector<size_t>> ofFlow;  // places in `arrivals`
std::vector<size_t> played;
std::vector<Ptr<Socket>> sender;       // by flow: the socket of its first node
std::unordered_map<uint64_t, size_t> indexOf;  // by the packet's own number
std::vector<int64_t> delay;
uint64_t hops = 0;

void fire(size_t flow) {
    const size_t index = ofFlow[flow][played[flow]++];
    Ptr<Packet> packet = Create<Packet>(uint32_t(arrivals[index].bytes) - kHeaders);
    indexOf[packet->GetUid()] = index;
    sender[flow]->SendTo(packet, 0, InetSocketAddress(flowAddress(flow), kPort));
    if (played[flow] < ofFlow[flow].size()) {
        const int64_t next = arrivals[ofFlow[flow][played[flow]]].time;
        Simulator::Schedule(NanoSeconds(next - arrivals[index].time), &fire, flow);
    }
}

void receive(Ptr<Socket> socket) {
    while (Ptr<Packet> packet = socket->Recv()) {
        const size_t index = indexOf.at(packet->GetUid());
        delay[index] = Simulator::Now().GetNanoSeconds() - arrivals[index].time;
    }
}

void lose(Ptr<const Packet> packet) { delay[indexOf.at(packet->GetUid())] = -1; }
void count(Ptr<const Packet>) { ++hops; }

void readArrivals(const char* name, size_t flows) {
    std::ifstream file(name, std::ios::binary);
    for (Arrival a; file.read(reinterpret_cast<char*>(&a), sizeof a);) arrivals.push_back(a);
    ofFlow.resize(flows);
    played.assign(flows, 0);
    delay.assign(arrivals.size(), -2);
    for (size_t i = 0; i < arrivals.size(); ++i) ofFlow.at(size_t(arrivals[i].flow)).push_back(i);
}

// Poisson flows with exponential sizes, one stream of MRG32k3a each for gaps and sizes.
void drawArrivals(const char* name, size_t flows, char** law) {
    RngSeedManager::SetSeed(uint32_t(std::stoul(law[0])));
    const double pps = std::stod(law[1]), mean = std::stod(law[2]);
    const int64_t stop = std::stoll(law[3]);
    std::ofstream file(name, std::ios::binary);
    for (size_t f = 0; f < flows; ++f) {
        const Ptr<ExponentialRandomVariable> gap = CreateObject<ExponentialRandomVariable>();
        const Ptr<ExponentialRandomVariable> size = CreateObject<ExponentialRandomVariable>();
        gap->SetStream(int64_t(2 * f));
        size->SetStream(int64_t(2 * f + 1));
        for (int64_t time = 0;;) {
            time += std::llround(gap->GetValue(1e9 / pps, 0));
            if (time >= stop) break;
            const int64_t bytes = std::clamp<int64_t>(std::llround(size->GetValue(mean, 0)), 31, 9000);
            const Arrival arrival{time, int64_t(f), bytes};
            file.write(reinterpret_cast<const char*>(&arrival), sizeof arrival);
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4 && argc != 8) return std::cerr << "packets SCENARIO ARRIVALS DELAYS [SEED PPS MEAN_BYTES STOP_NS]\n", 2;
    std::ifstream scenario(argv[1]);
    size_t nodeCount, linkCount, flowCount;
    scenario >> nodeCount >> linkCount >> flowCount;
    NodeContainer nodes;
    nodes.Create(uint32_t(nodeCount));
    InternetStackHelper stack;
    stack.SetIpv6StackInstall(false);
    stack.Install(nodes);
    std::vector<Ptr<PathRouting>> routing;
    for (size_t n = 0; n < nodeCount; ++n) {
        routing.push_back(CreateObject<PathRouting>());
        nodes.Get(uint32_t(n))->GetObject<Ipv4>()->SetRoutingProtocol(routing.back());
    }

    std::vector<size_t> tail(linkCount), head(linkCount);
    std::vector<Ptr<NetDevice>> device(linkCount);
    std::vector<Ipv4Address> address(linkCount);
    for (size_t l = 0; l < linkCount; ++l) {
        uint64_t rate, packets;
        int64_t ns;
        scenario >> tail[l] >> head[l] >> rate >> ns >> packets;
        PointToPointHelper helper;
        helper.DisableFlowControl();
        helper.SetDeviceAttribute("DataRate", DataRateValue(DataRate(rate)));
        helper.SetDeviceAttribute("Mtu", UintegerValue(9200));
        helper.SetChannelAttribute("Delay", TimeValue(NanoSeconds(ns)));
        helper.SetQueue("ns3::DropTailQueue<Packet>", "MaxSize",
                        QueueSizeValue(QueueSize(QueueSizeUnit::PACKETS, uint32_t(packets))));
        const NetDeviceContainer ends = helper.Install(nodes.Get(uint32_t(tail[l])), nodes.Get(uint32_t(head[l])));
        for (uint32_t side = 0; side < 2; ++side) {
            const Ptr<Ipv4> ipv4 = ends.Get(side)->GetNode()->GetObject<Ipv4>();
            const uint32_t interface = ipv4->AddInterface(ends.Get(side));
            const Ipv4Address own(0x0A000001u + 2 * uint32_t(l) + side);
            ipv4->AddAddress(interface, Ipv4InterfaceAddress(own, Ipv4Mask::GetOnes()));
            ipv4->SetUp(interface);
            if (side == 0) address[l] = own;
        }
        device[l] = ends.Get(0);
        const Ptr<PointToPointNetDevice> sends = DynamicCast<PointToPointNetDevice>(device[l]);
        sends->GetQueue()->TraceConnectWithoutContext("DropBeforeEnqueue", MakeCallback(&lose));
        sends->TraceConnectWithoutContext("PhyTxBegin", MakeCallback(&count));
        if (nodes.Get(uint32_t(tail[l]))->GetObject<TrafficControlLayer>()->GetRootQueueDiscOnDevice(device[l]))
            return std::cerr << "a queue disc got installed\n", 1;
    }

    std::vector<Ptr<Socket>> socket(nodeCount);
    for (size_t n = 0; n < nodeCount; ++n) {
        socket[n] = Socket::CreateSocket(nodes.Get(uint32_t(n)), UdpSocketFactory::GetTypeId());
        socket[n]->Bind(InetSocketAddress(Ipv4Address::GetAny(), kPort));
        socket[n]->SetRecvCallback(MakeCallback(&receive));
    }
    for (size_t f = 0; f < flowCount; ++f) {
        size_t length, link = 0;
        scenario >> length;
        for (size_t i = 0; i < length; ++i) {
            scenario >> link;
            if (i == 0) sender.push_back(socket[tail[link]]);
            routing[tail[link]]->Forward(flowAddress(f), device[link], address[link]);
        }
        routing[head[link]]->Deliver(flowAddress(f));
    }
    if (!scenario) return std::cerr << "the scenario ends too soon\n", 1;

    if (argc == 8) drawArrivals(argv[2], flowCount, argv + 4);
    readArrivals(argv[2], flowCount);
    for (size_t f = 0; f < flowCount; ++f) {
        if (!ofFlow[f].empty()) Simulator::Schedule(NanoSeconds(arrivals[ofFlow[f][0]].time), &fire, f);
    }
    const std::clock_t before = std::clock();
    Simulator::Run();
    std::cout << double(std::clock() - before) / CLOCKS_PER_SEC << " " << hops << "\n";
    std::ofstream(argv[3], std::ios::binary).write(reinterpret_cast<const char*>(delay.data()), long(delay.size() * 8));
    Simulator::Destroy();
    return 0;
}
