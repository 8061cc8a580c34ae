# What several scripts need. Dot-sourced by invoke.ps1 before each script.

[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

# Ends the script with a failure of that kind; every other error counts as Rejected.
function Fail([string] $Kind, [string] $Message) {
    $failure = New-Object System.InvalidOperationException($Message)
    $failure.Data['kind'] = $Kind
    throw $failure
}

# Adds a line to the log that travels with the result.
function Add-Log([string] $Text) { $log.Add($Text) }

function Read-Json([string] $Path) { $utf8.GetString([IO.File]::ReadAllBytes($Path)) | ConvertFrom-Json }

# Whoever reads the file sees the old one or the new one, never a half.
function Save-Text([string] $Path, [string] $Text) {
    $null = New-Item -ItemType Directory -Path (Split-Path -Parent $Path) -Force
    [IO.File]::WriteAllText("$Path.new", $Text, $utf8)
    Move-Item -LiteralPath "$Path.new" -Destination $Path -Force
}

function Save-Json([string] $Path, [hashtable] $Content) { Save-Text $Path ($Content | ConvertTo-Json -Depth 10 -Compress) }

# Says which operation the host belongs to. The same file for every provider, whatever its work directory.
$claimFile = [IO.Path]::Combine($env:ProgramData, 'Onward', 'claim.json')

# The text of the claim; empty without one.
function Get-Claim { if (Test-Path -LiteralPath $claimFile) { $utf8.GetString([IO.File]::ReadAllBytes($claimFile)) } else { '' } }

# Times are texts that can be compared: ISO 8601 in UTC, with as many digits as JavaScript gives them. PowerShell 7 makes a time
# of such a text wherever it reads JSON, Windows PowerShell does not.
function Get-Time([DateTime] $Time) { $Time.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ', [Globalization.CultureInfo]::InvariantCulture) }
function Get-Now { Get-Time ([DateTime]::UtcNow) }

# When Windows was started. Assumption: it moves by no more than a second or two when the clock is set.
function Get-BootTime { Get-Time (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime }

# Every file below a folder: its path from there with forward slashes, size and SHA-256.
function Get-FileList([string] $Folder) {
    $root = (Get-Item -LiteralPath $Folder -Force).FullName.TrimEnd('\', '/')
    Get-ChildItem -LiteralPath $root -Recurse -File -Force | ForEach-Object {
        @{
            path   = $_.FullName.Substring($root.Length + 1).Replace('\', '/')
            bytes  = $_.Length
            sha256 = (Get-FileHash -LiteralPath $_.FullName -Algorithm SHA256).Hash.ToLowerInvariant()
        }
    }
}

# One writer per host: an orphaned script of a dead worker may still be at work (lessons.md 6). Nobody queues behind it: what
# is to be done depends on what it will have done. A host that is claimed by another operation is not changed: what an orphaned
# worker still believes does not count. With -Claimed, one that nobody has claimed is not changed either.
function Use-Host([string] $Operation, [scriptblock] $Work, [switch] $Claimed) {
    $mutex = New-Object System.Threading.Mutex($false, "Global\Onward-$env:COMPUTERNAME")
    $held = $false
    try {
        # Abandoned: the script that held it died. What it left behind was looked at before this script was started.
        try { $held = $mutex.WaitOne(0) } catch [System.Threading.AbandonedMutexException] { $held = $true }
        if (-not $held) { Fail 'NotYet' "another script of Onward is changing $env:COMPUTERNAME" }
        if ($Operation -ne '') {
            $claim = Get-Claim
            if ($claim -ne '') {
                $owner = [string] ($claim | ConvertFrom-Json).operation
                if ($owner -cne $Operation) { Fail 'UnexpectedState' "$env:COMPUTERNAME now belongs to $owner ($claimFile)" }
            } elseif ($Claimed) {
                Fail 'UnexpectedState' "$env:COMPUTERNAME belongs to no upgrade: there is no claim in $claimFile"
            }
        }
        & $Work
    } finally {
        if ($held) { $mutex.ReleaseMutex() }
        $mutex.Dispose()
    }
}

# Ends the script when this operation has changed anything since it was decided: a script that outlived its worker may come to
# act when the next attempt has done its work, and would do it a second time.
function Confirm-Seen($Parameters) {
    $records = [IO.Path]::Combine($Parameters.workDirectory, 'records', $Parameters.records)
    $changes = @(if (Test-Path -LiteralPath $records) {
            Get-ChildItem -LiteralPath $records -File | Where-Object { $_.Name -match '\.(setup-started|restored|reset)\.json$' }
        })
    if ($changes.Count -ne $Parameters.seen) {
        Fail 'NotYet' "another script of Onward has changed $env:COMPUTERNAME since it was looked at"
    }
}

# The sites of IIS with their https bindings ('address:port:hostname') and applications.
function Get-Sites {
    # Asking for the command loads the module that has it.
    if (-not (Get-Command -Name Get-Website -ErrorAction SilentlyContinue)) {
        Fail 'UnexpectedState' "$env:COMPUTERNAME has no IIS management cmdlets: is IIS with its scripting tools installed?"
    }
    foreach ($site in @(Get-Website)) {
        @{
            name         = [string] $site.name
            # Asking a site without a web binding for its state is an error.
            state        = $(try { [string] $site.state } catch { '' })
            bindings     = @(Get-WebBinding -Name $site.name -Protocol https | ForEach-Object { [string] $_.bindingInformation })
            applications = @(Get-WebApplication -Site $site.name | ForEach-Object {
                    @{
                        name         = ([string] $_.path).TrimStart('/')
                        physicalPath = [Environment]::ExpandEnvironmentVariables([string] $_.PhysicalPath)
                        pool         = [string] $_.applicationPool
                    }
                })
        }
    }
}

# The application that a site serves from a folder, or the end of the script.
function Get-Application([string] $Site, [string] $Application) {
    $sites = @(Get-Sites | Where-Object { $_.name -eq $Site })
    $found = @($sites | ForEach-Object { $_.applications } | Where-Object { $_.name -eq $Application })[0]
    if (-not $found) { Fail 'UnexpectedState' "IIS has no application '$Application' in a site '$Site': was it renamed?" }
    if (-not (Test-Path -LiteralPath $found.physicalPath -PathType Container)) {
        Fail 'UnexpectedState' "the folder $($found.physicalPath) of the application '$Application' does not exist"
    }
    $found
}

# The runs of setup.cmd that still live: each is a cmd.exe that writes the log of one record (setup.ps1).
function Get-RunningSetups([string] $WorkDirectory) {
    $records = Join-Path $WorkDirectory 'records'
    if (-not (Test-Path -LiteralPath $records)) { return }
    $commands = @(Get-CimInstance -ClassName Win32_Process -Filter "Name = 'cmd.exe'" | ForEach-Object { [string] $_.CommandLine })
    foreach ($file in @(Get-ChildItem -LiteralPath $records -Recurse -File -Filter '*.setup-started.json')) {
        $output = $file.FullName.Replace('.setup-started.json', '.setup.log')
        if (@($commands | Where-Object { $_.Contains($output) }).Count -gt 0) {
            $started = Read-Json $file.FullName
            @{ id = $started.id; site = $started.site; application = $started.application }
        }
    }
}

# Ends the script while a setup.cmd runs, of whatever operation: it changes files that are to be copied, or are in use.
function Confirm-NoSetup([string] $WorkDirectory) {
    $running = @(Get-RunningSetups $WorkDirectory)
    if ($running.Count -gt 0) { Fail 'NotYet' "setup.cmd still runs for the site '$($running[0].site)'" }
}

# The text of web.config, whatever the case of its name; $null without one.
function Read-WebConfig([string] $Folder) {
    $file = Get-ChildItem -LiteralPath $Folder -File -Force | Where-Object { $_.Name -eq 'web.config' } | Select-Object -First 1
    if ($file) {
        $document = New-Object System.Xml.XmlDocument
        $document.Load($file.FullName)
        $document
    }
}
