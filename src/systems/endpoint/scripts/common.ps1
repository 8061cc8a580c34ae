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

# What Onward keeps on a host wherever its work directory is.
$dataDirectory = Join-Path $env:ProgramData 'Onward'

# Says which operation the host belongs to. The same file for every provider, whatever its work directory.
$claimFile = Join-Path $dataDirectory 'claim.json'

# The text of the claim; empty without one.
function Get-Claim { if (Test-Path -LiteralPath $claimFile) { $utf8.GetString([IO.File]::ReadAllBytes($claimFile)) } else { '' } }

# Times are texts that can be compared: ISO 8601 in UTC, with as many digits as JavaScript gives them. PowerShell 7 makes a time
# of such a text wherever it reads JSON, Windows PowerShell does not.
function Get-Time([DateTime] $Time) { $Time.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ', [Globalization.CultureInfo]::InvariantCulture) }
function Get-Now { Get-Time ([DateTime]::UtcNow) }

# When Windows was started. Assumption: it moves by no more than a second or two when the clock is set.
function Get-BootTime { Get-Time (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime }

# Every file below a folder: its path from there, with forward slashes.
function Get-Paths([string] $Folder) {
    $root = (Get-Item -LiteralPath $Folder -Force).FullName.TrimEnd('\', '/')
    Get-ChildItem -LiteralPath $root -Recurse -File -Force | ForEach-Object { $_.FullName.Substring($root.Length + 1).Replace('\', '/') }
}

# Opens a file to read it while others write to it; the application goes on meanwhile. 'None': only where nobody has it open.
function Open-File([string] $Path, [IO.FileShare] $Share = 'ReadWrite, Delete') {
    try {
        New-Object System.IO.FileStream -ArgumentList $Path, ([IO.FileMode]::Open), ([IO.FileAccess]::Read), $Share
    } catch {
        $reason = $_.Exception.GetBaseException()
        if ($reason -isnot [IO.IOException] -or -not (Test-Path -LiteralPath $Path)) { throw $reason }
        Fail 'NotYet' "$Path is in use: $($reason.Message)"
    }
}

function Get-Sha256([string] $Path) {
    $stream = Open-File $Path
    $sha256 = [Security.Cryptography.SHA256]::Create()
    try { [BitConverter]::ToString($sha256.ComputeHash($stream)).Replace('-', '').ToLowerInvariant() } finally { $sha256.Dispose(); $stream.Dispose() }
}

# Files below a folder with size and SHA-256: all of them, or those that are named.
function Get-FileList([string] $Folder, [string[]] $Paths = @(Get-Paths $Folder)) {
    foreach ($path in $Paths) {
        $file = Join-Path $Folder $path
        @{ path = $path; bytes = (Get-Item -LiteralPath $file -Force).Length; sha256 = (Get-Sha256 $file) }
    }
}

# What an application writes while it runs: its App_Data, logs and files of databases, and what was seen to grow. Such a file is copied
# where it can be, is compared with nothing, and stays as it is. Assumption: like every other database it is no part of what setup.cmd
# brings.
function Test-Volatile([string] $Path, [string[]] $SeenToGrow) {
    $Path -match '^App_Data/' -or $Path -match '\.(log|mdf|ndf|ldf)$' -or $SeenToGrow -contains $Path
}

# The files of an application, or of a copy of it, that are not its own doing.
function Get-SitePaths([string] $Folder, [string[]] $SeenToGrow) { Get-Paths $Folder | Where-Object { -not (Test-Volatile $_ $SeenToGrow) } }

# What tells this machine from every other. A copied disk keeps MachineGuid, which was made when Windows was installed; the UUID of
# SMBIOS is the hardware's, and a clone gets another one unless somebody sees to it that it does not.
function Get-Identity {
    $guid = (Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Cryptography' -Name 'MachineGuid').MachineGuid
    @{
        computerName = [string] $env:COMPUTERNAME
        machineGuid  = ([string] $guid).ToLowerInvariant()
        smbiosUuid   = ([string] (Get-CimInstance -ClassName Win32_ComputerSystemProduct).UUID).ToLowerInvariant()
    }
}

# Ends the script on any other machine than the one that is meant.
function Confirm-Identity($Expected) {
    $found = Get-Identity
    $different = @('computerName', 'machineGuid', 'smbiosUuid' | Where-Object { $found[$_] -cne [string] $Expected.$_ } |
            ForEach-Object { "$_ is '$($found[$_])' and not '$($Expected.$_)'" })
    if ($different.Count -gt 0) {
        Fail 'AnotherHost' "$env:COMPUTERNAME is not the machine that the preflight has seen: $([string]::Join(', ', $different))"
    }
}

# Who may reach what Onward keeps here: SYSTEM and administrators, as SDDL writes them. The worker runs as one of them.
$trusted = 'SY', 'BA', 'S-1-5-18', 'S-1-5-32-544'

# The parts of a list of access: owner, flags, and each entry as its six fields (type; flags; rights; object; inherited object; account).
function Read-Access([string] $Path) {
    $sddl = [string] (Get-Acl -LiteralPath $Path).Sddl
    if ($sddl -cnotmatch '^O:(?<owner>.+?)(G:.+?)?D:(?<flags>[A-Z]*)(?<entries>(\([^)]*\))*)') { Fail 'UnexpectedState' "the access to $Path cannot be read: $sddl" }
    $found = $Matches
    @{
        owner   = $found.owner
        flags   = $found.flags
        entries = @([regex]::Matches($found.entries, '\(([^)]*)\)') | ForEach-Object { $_.Groups[1].Value })
    }
}

# Why others than administrators might reach a folder, or put another one in its place; nothing where they cannot.
function Get-Exposure([string] $Path) {
    for ($at = $Path; $at; $at = Split-Path -Parent $at) {
        if ([IO.File]::GetAttributes($at) -band [IO.FileAttributes]::ReparsePoint) { return "$at is a link to another folder" }
    }
    $access = Read-Access $Path
    if ($trusted -cnotcontains $access.owner) { return "$Path belongs to $($access.owner)" }
    if ($access.flags -cnotmatch 'P') { return "$Path inherits its access from the folder that it is in" }
    if ($access.entries.Count -eq 0) { return "$Path has no list of access" }
    foreach ($entry in $access.entries) {
        $fields = $entry.Split(';')
        if ($fields[0] -cne 'D' -and ($fields[0] -cne 'A' -or $trusted -cnotcontains $fields[5])) { return "$Path is open to $($fields[5])" }
    }
}

# Makes a folder that only SYSTEM and administrators can reach, or ends the script where what is there may be anybody's doing.
function Protect-Folder([string] $Path) {
    if (-not (Test-Path -LiteralPath $Path)) {
        $null = New-Item -ItemType Directory -Path $Path
        icacls.exe $Path /setowner '*S-1-5-32-544' /q | Out-Null
        if ($LASTEXITCODE -eq 0) { icacls.exe $Path /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' /q | Out-Null }
        if ($LASTEXITCODE -ne 0) { Fail 'Rejected' "icacls cannot protect $Path (exit code $LASTEXITCODE)" }
        # Somebody may have been quicker.
        if (@(Get-ChildItem -LiteralPath $Path -Force).Count -gt 0) { Fail 'UnexpectedState' "$Path was filled before it was protected" }
    }
    $exposure = Get-Exposure $Path
    if ($exposure) { Fail 'UnexpectedState' "$exposure, so what lies in it is not to be trusted: move it away, and Onward makes it anew for administrators alone" }
}

# Files and folders below a folder that have more or less access than they inherit, with the list of it as SDDL. The application's
# own files come and go.
function Get-ExplicitAccess([string] $Folder, [string[]] $SeenToGrow) {
    $root = (Get-Item -LiteralPath $Folder -Force).FullName.TrimEnd('\', '/')
    Get-ChildItem -LiteralPath $root -Recurse -Force | ForEach-Object {
        $path = $_.FullName.Substring($root.Length + 1).Replace('\', '/')
        if (Test-Volatile $path $SeenToGrow) { return }
        $access = Read-Access $_.FullName
        $own = @($access.entries | Where-Object { $_.Split(';')[1] -cnotmatch 'ID' } | ForEach-Object { "($_)" })
        $protected = if ($access.flags -cmatch 'P') { 'P' } else { '' }
        if ($protected -or $own.Count -gt 0) {
            @{ path = $path; sddl = "D:$protected$([string]::Join('', $own))" }
        }
    }
}

# Gives files and folders the access that was written down. Owners stay as they are, and so does what is inherited.
function Set-ExplicitAccess([string] $Folder, $Access) {
    foreach ($one in @($Access)) {
        $path = Join-Path $Folder $one.path
        $list = Get-Acl -LiteralPath $path
        $list.SetSecurityDescriptorSddlForm($one.sddl, 'Access')
        Set-Acl -LiteralPath $path -AclObject $list
    }
}

# One writer per host: an orphaned script of a dead worker may still be at work (lessons.md 6). Nobody queues behind it: what
# is to be done depends on what it will have done. What lies on the host counts only where nobody but administrators can have put it
# there. A script of an operation changes the host only while that is the one that has claimed it: what an orphaned worker still
# believes does not count.
function Use-Host($Parameters, [scriptblock] $Work) {
    $mutex = New-Object System.Threading.Mutex($false, "Global\Onward-$env:COMPUTERNAME")
    $held = $false
    try {
        # Abandoned: the script that held it died. What it left behind was looked at before this script was started.
        try { $held = $mutex.WaitOne(0) } catch [System.Threading.AbandonedMutexException] { $held = $true }
        if (-not $held) { Fail 'NotYet' "another script of Onward is changing $env:COMPUTERNAME" }
        Protect-Folder $dataDirectory
        Protect-Folder $Parameters.workDirectory
        if ($Parameters.operation) {
            $claim = Get-Claim
            if ($claim -eq '') { Fail 'UnexpectedState' "$env:COMPUTERNAME belongs to no upgrade: there is no claim in $claimFile" }
            $owner = [string] ($claim | ConvertFrom-Json).operation
            if ($owner -cne $Parameters.operation) { Fail 'UnexpectedState' "$env:COMPUTERNAME now belongs to $owner ($claimFile)" }
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

# Brings an application pool to a state. While it stops or starts it takes no order, and a start may fail and work half a minute
# later: it is asked again until then.
function Set-PoolState([string] $Pool, [string] $Wanted, [DateTime] $Until) {
    $problem = ''
    for ($gap = 25; ; $gap = [Math]::Min(2 * $gap, 2000)) {
        $state = [string] (Get-WebAppPoolState -Name $Pool).Value
        if ($state -eq $Wanted) { return }
        if ($state -ne 'Starting' -and $state -ne 'Stopping') {
            try {
                if ($Wanted -eq 'Stopped') { Stop-WebAppPool -Name $Pool } else { Start-WebAppPool -Name $Pool }
            } catch {
                $problem = ": $($_.Exception.Message)"
            }
            $state = [string] (Get-WebAppPoolState -Name $Pool).Value
            if ($state -eq $Wanted) { return }
        }
        if ([DateTime]::UtcNow -ge $Until) { Fail 'NotYet' "the application pool '$Pool' is $state and not yet $Wanted$problem" }
        Start-Sleep -Milliseconds $gap
    }
}

# What setup.cmd is called with, as it stands in the command line of cmd.exe and of whatever it has started.
$setupArguments = '-GatewaySiteName\s+(?:"(?<site>[^"]*)"|(?<site>\S+))\s+-GatewayAppName\s+(?:"(?<application>[^"]*)"|(?<application>\S+))'

# The sites that a setup.cmd still runs for, whoever has started it and from which folder.
function Get-RunningSetups {
    $seen = @{}
    foreach ($process in @(Get-CimInstance -ClassName Win32_Process)) {
        if ([string] $process.CommandLine -notmatch $setupArguments) { continue }
        $running = @{ site = $Matches.site; application = $Matches.application }
        $key = "$($running.site)/$($running.application)"
        if (-not $seen[$key]) { $seen[$key] = $true; $running }
    }
}

# Ends the script while a setup.cmd runs, of whatever operation: it changes files that are to be copied, or are in use.
function Confirm-NoSetup {
    $running = @(Get-RunningSetups)
    if ($running.Count -gt 0) { Fail 'NotYet' "setup.cmd still runs for the site '$($running[0].site)'" }
}

# Where a package lies. What names it is short, as paths on Windows end at 260 characters; what it is, its hash says.
function Get-PackageFolder([string] $WorkDirectory, [string] $Sha256) { [IO.Path]::Combine($WorkDirectory, 'packages', $Sha256.Substring(0, 16)) }

# Ends the script unless every file that the archive names lies in the folder, as large as the archive says.
function Confirm-Unpacked([string] $Archive, [string] $Folder) {
    Add-Type -AssemblyName System.IO.Compression, System.IO.Compression.FileSystem
    $zip = [IO.Compression.ZipFile]::OpenRead($Archive)
    try {
        foreach ($entry in @($zip.Entries | Where-Object { $_.Name -ne '' })) {
            $file = Join-Path $Folder $entry.FullName
            if (-not (Test-Path -LiteralPath $file -PathType Leaf)) { Fail 'UnexpectedState' "$Archive was not unpacked whole: there is no $file" }
            $bytes = (Get-Item -LiteralPath $file -Force).Length
            if ($bytes -ne $entry.Length) { Fail 'UnexpectedState' "$Archive was not unpacked whole: $file has $bytes bytes instead of $($entry.Length)" }
        }
    } finally {
        $zip.Dispose()
    }
}

# Every file of the O365-Web.zip inside of the package: what has to lie on the disk once it is unpacked.
function Get-PackagedFiles([string] $Package) {
    Add-Type -AssemblyName System.IO.Compression, System.IO.Compression.FileSystem
    $sha256 = [Security.Cryptography.SHA256]::Create()
    $outer = [IO.Compression.ZipFile]::OpenRead($Package)
    try {
        $found = @($outer.Entries | Where-Object { $_.Name -eq 'O365-Web.zip' })
        if ($found.Count -ne 1) { Fail 'UnexpectedState' "the package must hold exactly one O365-Web.zip, and holds $($found.Count)" }
        $inner = [IO.Compression.ZipArchive]::new($found[0].Open())
        foreach ($entry in @($inner.Entries | Where-Object { $_.Name -ne '' })) {
            $content = $entry.Open()
            try { $hash = [BitConverter]::ToString($sha256.ComputeHash($content)).Replace('-', '').ToLowerInvariant() } finally { $content.Dispose() }
            @{ path = $entry.FullName.Replace('\', '/'); sha256 = $hash }
        }
    } finally {
        $outer.Dispose()
        $sha256.Dispose()
    }
}

# What keeps the package that was unpacked in a folder from being run: 'problem', empty where it is, file by file, the package with that
# hash. Trusts nothing that lies beside it. 'directory' holds setup.cmd.
function Get-StagedPackage([string] $Folder, [string] $Sha256) {
    $package = Join-Path $Folder 'package.zip'
    $web = Join-Path $Folder 'web'
    if (-not (Test-Path -LiteralPath $package) -or -not (Test-Path -LiteralPath $web)) { return @{ problem = "there is no package in $Folder" } }
    if ((Get-Sha256 $package) -ne $Sha256) { return @{ problem = "$package is another file than was downloaded" } }
    $lines = { "$($_.sha256) $($_.path)" }
    $wanted = @(Get-PackagedFiles $package | ForEach-Object $lines)
    $different = @(Compare-Object -ReferenceObject $wanted -DifferenceObject @(Get-FileList $web | ForEach-Object $lines) -CaseSensitive)
    if ($different.Count -gt 0) { return @{ problem = "what was unpacked in $web is not what the package holds: $($different[0].InputObject.Substring(65))" } }
    @{ problem = ''; directory = (Split-Path -Parent (Find-One $web 'setup.cmd')) }
}

# The mark of files that came from the internet; unpacking would hand it on to what is unpacked.
function Test-Blocked([string] $File) { [bool] (Get-Item -LiteralPath $File -Stream Zone.Identifier -ErrorAction SilentlyContinue) }

# Downloads the package into a folder, verifies it, and unpacks it in the order of the procedure: unpack, unblock O365-Web.zip, unpack
# that. 'sha256' is the hash of what was downloaded; 'blocked' names what is still marked.
function Receive-Package([string] $Folder, [string] $Url, [string] $Sha256) {
    if (Test-Path -LiteralPath $Folder) { Remove-Item -LiteralPath $Folder -Recurse -Force }
    $null = New-Item -ItemType Directory -Path $Folder -Force
    $package = Join-Path $Folder 'package.zip'
    try {
        Invoke-WebRequest -Uri $Url -OutFile $package -UseBasicParsing -TimeoutSec 600
    } catch {
        # What follows the question mark may be a signature, which is as good as a password.
        Fail 'Unreachable' "the package cannot be downloaded from $($Url.Split('?')[0]): $($_.Exception.Message)"
    }
    $saved = @{ sha256 = (Get-Sha256 $package); blocked = @() }
    if ($saved.sha256 -ne $Sha256) { return $saved }

    $unpacked = Join-Path $Folder 'package'
    Expand-Archive -LiteralPath $package -DestinationPath $unpacked -Force
    Confirm-Unpacked $package $unpacked
    $archive = Find-One $unpacked 'O365-Web.zip'
    Unblock-File -LiteralPath $archive
    $web = Join-Path $Folder 'web'
    Expand-Archive -LiteralPath $archive -DestinationPath $web -Force
    Confirm-Unpacked $archive $web
    $saved.blocked = @(@($archive) + @(Get-ChildItem -LiteralPath $web -Recurse -File -Force | ForEach-Object { $_.FullName }) | Where-Object { Test-Blocked $_ })
    if ($saved.blocked.Count -gt 0) { return $saved }
    $problem = (Get-StagedPackage $Folder $Sha256).problem
    if ($problem) { Fail 'UnexpectedState' $problem }
    $saved
}

function Find-One([string] $Folder, [string] $Name) {
    $found = @(Get-ChildItem -LiteralPath $Folder -Recurse -File -Force | Where-Object { $_.Name -eq $Name })
    if ($found.Count -ne 1) { Fail 'UnexpectedState' "the package must hold exactly one $Name, and holds $($found.Count)" }
    $found[0].FullName
}

# The text of web.config, whatever the case of its name; $null without one.
function Read-WebConfig([string] $Folder) {
    $file = Get-ChildItem -LiteralPath $Folder -File -Force | Where-Object { $_.Name -eq 'web.config' } | Select-Object -First 1
    if ($file) { Read-Xml $file.FullName }
}

function Read-Xml([string] $Path) {
    $document = New-Object System.Xml.XmlDocument
    $document.Load($Path)
    $document
}

function Get-Assemblies([string] $Folder) {
    $bin = Join-Path $Folder 'bin'
    if (-not (Test-Path -LiteralPath $bin -PathType Container)) { return }
    Get-ChildItem -LiteralPath $bin -File -Force -Filter '*.dll' | Sort-Object -Property Name | ForEach-Object {
        # The numbers that Windows goes by. FileVersion itself is free text: '18, 3, 0, 9'. A compiler that cannot read it, such as
        # 'v18.3.0.9', leaves the numbers at zero.
        $version = (Get-Item -LiteralPath $_.FullName -Force).VersionInfo
        $numbers = @($version.FileMajorPart, $version.FileMinorPart, $version.FileBuildPart, $version.FilePrivatePart)
        $said = @([regex]::Matches([string] $version.FileVersion, '\d+') | ForEach-Object { $_.Value })
        if (-not @($numbers | Where-Object { $_ -ne 0 }) -and $said.Count -eq 4) { $numbers = $said }
        @{ file = $_.Name; version = if ($version.FileVersion) { [string]::Join('.', $numbers) } else { $null } }
    }
}

# Assumption: the application's version stands in web.config as the setting ApplicationVersion.
function Get-WebConfigVersion([string] $Folder) {
    $config = Read-WebConfig $Folder
    if ($config) {
        $setting = $config.SelectSingleNode("/*/*[local-name()='appSettings']/*[@key='ApplicationVersion']")
        if ($setting) { $setting.GetAttribute('value') }
    }
}

# Of which version the files of an application are, as they say themselves; nothing where there is no folder.
function Get-Deployed([string] $Folder) {
    $isThere = Test-Path -LiteralPath $Folder -PathType Container
    @{
        assemblies       = if ($isThere) { , @(Get-Assemblies $Folder) } else { $null }
        webConfigVersion = if ($isThere) { Get-WebConfigVersion $Folder } else { $null }
    }
}
